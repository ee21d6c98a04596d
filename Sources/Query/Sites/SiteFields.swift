import Foundation
import Postgres
import Shared

/// What a client says of a site.
struct SiteFields: Sendable {
    let code: String
    let name: String
    let kind: Site.Kind
    let timezone: String
    let address: String?
    let latitude, longitude: Double?
    let expectedInterval: Int32
    let settings: JSONB

    /// - Parameter fixed: the kind, where the path says it.
    /// - Throws: `Problem` 422.
    init(_ body: inout JSONBody, kind fixed: Site.Kind?) throws {
        body.skip("id", "created_at", "updated_at")
        code = body.required("code") { $0.code($1) } ?? ""
        name = body.required("name") { $0.name($1) } ?? ""
        let given: Site.Kind? = body.word("kind")
        if let fixed, let given, given != fixed { body.refuse("kind", "conflict", "The path says \(fixed.rawValue).") }
        kind = fixed ?? given ?? .store
        timezone = body.required("timezone") { $0.timezone($1) } ?? ""
        address = body.name("address")
        latitude = body.number("latitude", in: -90...90)
        longitude = body.number("longitude", in: -180...180)
        expectedInterval = Int32(body.integer("expected_interval_s", in: 1...31_536_000) ?? 60)
        settings = body.object("settings") ?? JSONB("{}")
        try body.check()
    }
}

extension JSONBody {
    /// What people call a site or a space.
    mutating func code(_ name: String) -> String? {
        guard let text = text(name) else { return nil }
        let code = Code(text)?.rawValue
        if code == nil {
            refuse(name, "invalid_code", "Must be 1 to 32 characters A-Z, a-z, 0-9 and -, and begin with no -.")
        }
        return code
    }

    /// By the names of IANA.
    fileprivate mutating func timezone(_ name: String) -> String? {
        guard let text = text(name) else { return nil }
        guard text.contains("/") || text == "UTC", TimeZone(identifier: text) != nil else {
            refuse(name, "unknown_timezone", "Must be an IANA time zone, such as Europe/Madrid.")
            return nil
        }
        return text
    }
}
