import Foundation
import Postgres
import Shared

/// A store whose key was shown: what a gateway may write to.
struct StoreCredential: Hashable, Sendable, TenantScoped {
    let tenant: Tenant
    let keyID: UUID
    let owner: Int32

    var tenantID: TenantID { tenant.id }
}

/// Knows store keys by their hashes. A key carries its tenant's slug, so the tenant is set before any key is read.
struct StoreKeyDirectory: Sendable {
    /// A key as it was shown, without its secret.
    private struct Presented: Hashable {
        let tenantSlug: String
        let storeCode: String
        let sha256: [UInt8]

        init(_ key: StoreKey) {
            (tenantSlug, storeCode, sha256) = (key.tenantSlug, key.storeCode, key.sha256)
        }
    }

    private struct Known {
        let credential: StoreCredential
        let expiresAt: Timestamp?
    }

    private struct KeyRow: RowDecodable {
        let id: UUID
        let owner: Int32
        let sha256: [UInt8]
        let expiresAt: Timestamp?

        init(_ row: Row) throws {
            id = try row["id"]
            owner = try row["owner_id"]
            sha256 = try row["sha256"]
            expiresAt = try row["expires_at"]
        }
    }

    private let cache: LookupCache<Presented, Known?>

    init(
        database: Database, capacity: Int = 50_000, isAway: @escaping @Sendable () -> Bool = { false }
    ) {
        cache = LookupCache(capacity: capacity, isAway: isAway) { key in
            guard let tenant = try await database.lookUp(Tenant.bySlug(key.tenantSlug)).first else { return (nil, nil) }
            guard tenant.isActive else { return (nil, tenant.id) }
            let found = try await database.read(tenant, Self.find(key, tenant.id)).first
            let match = found.flatMap { constantTimeEquals($0.sha256, key.sha256) ? $0 : nil }
            let known = match.map { row in
                Known(
                    credential: StoreCredential(tenant: tenant, keyID: row.id, owner: row.owner),
                    expiresAt: row.expiresAt)
            }
            return (known, tenant.id)
        }
    }

    /// The store that a bearer token opens; nil for every reason not to.
    func credential(for token: String) async throws -> StoreCredential? {
        guard let key = StoreKey(parsing: token), let known = try await cache.value(for: Presented(key)) else {
            return nil
        }
        if let expiresAt = known.expiresAt, expiresAt <= .now() { return nil }
        return known.credential
    }

    func invalidate(_ tenant: TenantID) { cache.invalidate(tag: tenant) }
    func invalidateAll() { cache.invalidateAll() }

    /// By the hash's index, whatever the number of keys.
    private static func find(_ key: Presented, _ tenant: TenantID) -> Statement<KeyRow> {
        """
        SELECT k.id, s.owner_id, k.sha256, k.expires_at
          FROM api_keys k JOIN sites s ON s.tenant_id = k.tenant_id AND s.id = k.site_id
         WHERE k.tenant_id = \(tenant) AND k.sha256 = \(key.sha256) AND k.kind = 'store' AND k.revoked_at IS NULL
           AND (k.expires_at IS NULL OR k.expires_at > now()) AND s.code = \(key.storeCode) AND s.deleted_at IS NULL
        """
    }
}
