import Foundation
import Postgres
import Shared

/// A secret of an integration, by its id; itself it is shown once.
struct SecretView: RowDecodable, JSONWritable {
    let id: UUID
    let createdAt: Timestamp
    let expiresAt: Timestamp?
    var secret: String?

    init(_ row: Row) throws {
        id = try row["id"]
        createdAt = try row["created_at"]
        expiresAt = try row["expires_at"]
    }

    func write(to json: inout JSONWriter) {
        json.object { object in
            object.field("id", id)
            object.field("created_at", createdAt)
            object.field("expires_at", expiresAt)
            if let secret { object.field("secret", secret) }
        }
    }
}

extension SecretView {
    private static let columns: Fragment = "id, created_at, expires_at"

    /// Those that count now, in the order of creation.
    static func all(of integration: UUID, in tenant: TenantID) -> Statement<SecretView> {
        """
        SELECT \(columns) FROM integration_secrets
         WHERE tenant_id = \(tenant) AND integration_id = \(integration) AND revoked_at IS NULL
           AND (expires_at IS NULL OR expires_at > now())
         ORDER BY id
        """
    }

    static func revoke(_ id: UUID, of integration: UUID, in tenant: TenantID) -> Statement<SecretView> {
        """
        UPDATE integration_secrets SET revoked_at = now()
         WHERE tenant_id = \(tenant) AND integration_id = \(integration) AND id = \(id) AND revoked_at IS NULL
           AND (expires_at IS NULL OR expires_at > now())
        RETURNING \(columns)
        """
    }
}
