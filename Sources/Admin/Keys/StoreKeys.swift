import Foundation
import Postgres
import Shared

/// The keys of one tenant's stores: issued, replaced, withdrawn. Ingest hears of each change by the table's trigger.
struct StoreKeys: Sendable {
    struct Issued: Encodable, Sendable {
        let id: String
        let store: String
        let key: String
    }

    enum Selection: Sendable {
        case id(UUID)
        case prefix(String)
        case store(String)
    }

    let database: Database
    let tenant: Tenant

    func create(store code: String, name: String) async throws -> Issued {
        try await database.withTenant(tenant) { tx in
            try await issue(store: code, name: name, action: "api_key.created", in: tx)
        }
    }

    /// A new key; those that work now go on working until the overlap is over, or they expire, whichever is first.
    func rotate(store code: String, overlapSeconds: Int) async throws -> Issued {
        try await database.withTenant(tenant) { tx in
            let site = try await siteID(of: code, in: tx)
            try await tx.run(
                """
                UPDATE api_keys
                   SET expires_at = least(expires_at, now() + make_interval(secs => \(Double(overlapSeconds)))),
                       updated_at = now()
                 WHERE tenant_id = \(tenant.id) AND site_id = \(site) AND kind = 'store' AND revoked_at IS NULL
                   AND (expires_at IS NULL OR expires_at > now())
                """)
            return try await issue(store: code, name: "Gateway", action: "api_key.rotated", in: tx)
        }
    }

    /// - Returns: the prefixes of the keys that worked until now.
    func revoke(_ selection: Selection) async throws -> [String] {
        try await database.withTenant(tenant) { tx in
            let condition: Fragment =
                switch selection {
                case .id(let id): "id = \(id)"
                case .prefix(let prefix): "prefix = \(prefix)"
                case .store(let code): "site_id = \(try await siteID(of: code, in: tx))"
                }
            let revoked: [RevokedKey] = try await tx.all(
                """
                UPDATE api_keys SET revoked_at = now(), updated_at = now()
                 WHERE tenant_id = \(tenant.id) AND kind = 'store' AND revoked_at IS NULL AND \(condition)
                RETURNING id, prefix
                """)
            guard !revoked.isEmpty else { throw Refusal(.conflict, "no such key, or it is revoked already") }
            try await SystemAudit.append(
                revoked.map { key in
                    SystemAudit(
                        action: "api_key.revoked", resourceType: "api_key", resourceID: key.id.lowercaseString,
                        before: ["prefix": key.prefix])
                },
                tenant: tenant.id, in: tx)
            return revoked.map(\.prefix)
        }
    }

    func list() async throws -> [StoreKeySummary] {
        try await database.read(tenant, StoreKeySummary.all(of: tenant.id))
    }

    private func issue(
        store code: String, name: String, action: String, in tx: TenantTransaction
    ) async throws -> Issued {
        let site = try await siteID(of: code, in: tx)
        guard let slug = Slug(tenant.slug), let store = Code(code) else { throw Refusal(.data, "\(code) is no code") }
        let key = StoreKey.make(tenant: slug, store: store)
        let new = NewStoreKey(siteID: site, name: name, key: key)
        try await tx.run(NewStoreKey.insert([new], tenant: tenant.id))
        let audit = SystemAudit(
            action: action, resourceType: "api_key", resourceID: new.id.lowercaseString,
            after: ["store": code, "prefix": key.prefix, "name": name])
        try await SystemAudit.append([audit], tenant: tenant.id, in: tx)
        return Issued(id: new.id.lowercaseString, store: code, key: key.secret)
    }

    private func siteID(of code: String, in tx: TenantTransaction) async throws -> UUID {
        let id: UUID? = try await tx.first(
            """
            SELECT id FROM sites
             WHERE tenant_id = \(tenant.id) AND code = \(code) AND kind = 'store' AND deleted_at IS NULL
            """)
        guard let id else { throw Refusal(.conflict, "\(tenant.slug) has no store \(code)") }
        return id
    }
}

private struct RevokedKey: RowDecodable {
    let id: UUID
    let prefix: String

    init(_ row: Row) throws {
        id = try row["id"]
        prefix = try row["prefix"]
    }
}
