import Foundation
import Postgres
import Shared

/// A service key as it was shown, without its secret.
struct PresentedKey: Hashable, Sendable {
    let tenantSlug: String
    let sha256: [UInt8]
}

/// A service key that somebody issued.
struct KnownKey: Sendable {
    struct Row: RowDecodable {
        let id: UUID
        let name: String
        let scopes: Set<Scope>
        let expiresAt: Timestamp?

        init(_ row: Postgres.Row) throws {
            id = try row["id"]
            name = try row["name"]
            scopes = Set(named: try row["scopes"])
            expiresAt = try row["expires_at"]
        }
    }

    let tenant: Tenant
    let row: Row
}

extension KnownKey.Row {
    /// Finds a key and notes that it is used, to the minute: more would be a write for each look-up.
    static func use(_ key: PresentedKey, in tenant: TenantID) -> Statement<KnownKey.Row> {
        """
        WITH found AS (
            SELECT id, name, scopes, expires_at, last_used_at FROM api_keys
             WHERE tenant_id = \(tenant) AND sha256 = \(key.sha256) AND kind = 'service' AND revoked_at IS NULL
               AND (expires_at IS NULL OR expires_at > now())
        ), noted AS (
            UPDATE api_keys k SET last_used_at = now() FROM found f
             WHERE k.tenant_id = \(tenant) AND k.id = f.id
               AND (f.last_used_at IS NULL OR f.last_used_at < now() - interval '1 minute')
        )
        SELECT id, name, scopes, expires_at FROM found
        """
    }
}
