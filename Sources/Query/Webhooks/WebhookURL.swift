import Foundation

/// Where an endpoint is, in the form in which we take it. Which address is behind it ``AddressLookup`` finds out.
struct WebhookURL: Sendable {
    struct Fault: Error {
        let code: String
        let detail: String
    }

    /// Bytes.
    static let maxLength = 2_000

    let text: String
    /// Without the brackets of IPv6, and exactly as the HTTP client reads it.
    let host: String

    init(_ text: String) throws(Fault) {
        let isPlain = text.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\\") }
        guard isPlain, text.utf8.count <= Self.maxLength, let url = URL(string: text), let scheme = url.scheme else {
            throw Fault(code: "invalid_url", detail: "Must be a URL of at most \(Self.maxLength) characters.")
        }
        guard ["http", "https"].contains(scheme.lowercased()) else {
            throw Fault(code: "invalid_url", detail: "Must begin with https:// or http://.")
        }
        guard url.user == nil, url.password == nil, !Self.authority(of: text).contains("@") else {
            throw Fault(code: "credentials_in_url", detail: "Must hold no credentials; messages are signed.")
        }
        guard url.fragment == nil else { throw Fault(code: "invalid_url", detail: "Must have no fragment.") }
        let host = (url.host ?? "").trimmingCharacters(in: ["[", "]"])
        let isName = host.contains(/^[A-Za-z0-9._-]{1,253}$/) || host.contains(/^[0-9A-Fa-f:.]{2,45}$/)
        guard isName, (1...65_535).contains(url.port ?? 443) else {
            throw Fault(code: "invalid_url", detail: "Must name a host, and a port from 1 to 65535 if any.")
        }
        (self.text, self.host) = (text, host)
    }

    private static func authority(of text: String) -> Substring {
        let rest = text.drop { $0 != ":" }.dropFirst().drop { $0 == "/" }
        return rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    }
}
