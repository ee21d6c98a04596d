import HTTPTypes

/// The proxies in front of a process, which are believed when they say for whom they ask (`X-Forwarded-For`). Of nobody else that field says
/// anything.
package struct TrustedProxies: Sendable {
    private let networks: [IPNetwork]

    package init(_ networks: [IPNetwork] = []) {
        self.networks = networks
    }

    /// Where a request comes from: the peer, or what the nearest proxy that is not trusted, or the client itself, was seen as.
    ///
    /// - Parameter peer: of the connection; nil where there is none.
    package func client(_ peer: IPAddress?, _ headers: HTTPFields) -> IPAddress? {
        guard var address = peer, isTrusted(address) else { return peer }
        var hops = headers[values: .forwardedFor].flatMap { $0.split(separator: ",") }
        // Each proxy adds its own peer at the end, so what is further to the left is hearsay.
        while isTrusted(address), let hop = hops.popLast().flatMap(Self.address) { address = hop }
        return address
    }

    private func isTrusted(_ address: IPAddress) -> Bool {
        networks.contains { $0.contains(address) }
    }

    /// Some proxies write the port, too.
    private static func address(_ hop: Substring) -> IPAddress? {
        let text = hop.filter { $0 != " " && $0 != "\t" }
        if let address = IPAddress(text) { return address }
        if text.hasPrefix("[") { return IPAddress(text.dropFirst().prefix { $0 != "]" }) }
        return text.firstIndex(of: ":").flatMap { IPAddress(text[..<$0]) }
    }
}
