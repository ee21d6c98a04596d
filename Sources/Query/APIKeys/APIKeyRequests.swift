import Foundation
import Postgres
import Shared

/// What a client wants of a new key.
struct APIKeyRequest: Sendable {
    enum Purpose: Sendable {
        case store(UUID)
        case service([String])
    }

    let name: String
    let purpose: Purpose
    let expiresAt: Timestamp?

    /// - Throws: `Problem` 422; 403 for scopes that the client does not hold.
    init(_ body: inout JSONBody, by principal: Principal) throws {
        name = body.required("name") { $0.name($1) } ?? ""
        let kind: APIKey.Kind? = body.required("kind") { $0.word($1) }
        let store = body.id("store_id")
        let scopes = body.scopes("scopes")
        expiresAt = body.futureTime("expires_at")
        switch kind {
        case .store?:
            if store == nil { body.refuse("store_id", "required", "A store's key needs its store.") }
            if scopes != nil { body.refuse("scopes", "not_allowed", "A store's key writes to its store alone.") }
        case .service?:
            if scopes?.isEmpty ?? true { body.refuse("scopes", "required", "A service's key needs scopes.") }
            if store != nil { body.refuse("store_id", "not_allowed", "A service's key has no store.") }
        case nil: break
        }
        try body.check()
        purpose = store.map(Purpose.store) ?? .service(scopes ?? [])
        try principal.mayGrant(scopes ?? [])
    }

    /// Another key with the same rights and the same end.
    init(like key: APIKey) {
        name = key.name
        purpose = key.siteID.map(Purpose.store) ?? .service(key.scopes)
        expiresAt = key.expiresAt
    }
}

/// What a client wants to be otherwise (RFC 7396).
struct APIKeyChange: Sendable {
    private let name: String?
    private let scopes: [String]?
    private let expiresAt: Timestamp?
    private let changesExpiry: Bool

    /// - Throws: `Problem` 422.
    init(_ body: inout JSONBody) throws {
        name = body.has("name") ? body.required("name") { $0.name($1) } : nil
        scopes = body.scopes("scopes")
        changesExpiry = body.has("expires_at")
        expiresAt = body.futureTime("expires_at")
        try body.check()
    }

    /// - Throws: `Problem` 403 for scopes that the client does not hold, 422 for scopes of a store's key.
    func apply(to key: APIKey, by principal: Principal, in tenant: TenantID) throws -> Statement<APIKey> {
        if let scopes {
            guard key.kind == .service, !scopes.isEmpty else {
                throw Problem.unprocessable([
                    .init(field: "scopes", code: "not_allowed", detail: "A service's key has scopes, and no other.")
                ])
            }
        }
        try principal.mayGrant(scopes ?? [])
        return APIKey.change(
            key.id, name: name ?? key.name, scopes: scopes ?? key.scopes,
            expiresAt: changesExpiry ? expiresAt : key.expiresAt, in: tenant)
    }
}

extension JSONBody {
    fileprivate mutating func futureTime(_ name: String) -> Timestamp? {
        guard let time = time(name) else { return nil }
        if time <= .now() { refuse(name, "not_in_future", "Must be in the future.") }
        return time
    }
}
