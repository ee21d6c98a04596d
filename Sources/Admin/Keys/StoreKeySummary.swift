import Foundation
import Postgres
import Shared

/// A line of `key list`.
struct StoreKeySummary: RowDecodable, Encodable {
    let id: String
    let store: String
    let prefix: String
    let name: String
    let expiresAt: Timestamp?
    let revokedAt: Timestamp?
    let lastUsedAt: Timestamp?

    private enum CodingKeys: String, CodingKey {
        case id, store, prefix, name
        case expiresAt = "expires_at"
        case revokedAt = "revoked_at"
        case lastUsedAt = "last_used_at"
    }

    init(_ row: Row) throws {
        let id: UUID = try row["id"]
        self.id = id.lowercaseString
        store = try row["code"]
        prefix = try row["prefix"]
        name = try row["name"]
        expiresAt = try row["expires_at"]
        revokedAt = try row["revoked_at"]
        lastUsedAt = try row["last_used_at"]
    }

    static func all(of tenant: TenantID) -> Statement<StoreKeySummary> {
        """
        SELECT k.id, s.code, k.prefix, k.name, k.expires_at, k.revoked_at, k.last_used_at
          FROM api_keys k JOIN sites s ON s.tenant_id = k.tenant_id AND s.id = k.site_id
         WHERE k.tenant_id = \(tenant) AND k.kind = 'store'
         ORDER BY s.code, k.created_at
        """
    }

    func state(at now: Timestamp) -> String {
        if let revokedAt { return "revoked \(revokedAt.rfc3339)" }
        guard let expiresAt else { return "active" }
        return expiresAt > now ? "until \(expiresAt.rfc3339)" : "expired"
    }
}
