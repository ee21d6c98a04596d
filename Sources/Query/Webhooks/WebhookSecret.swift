import Foundation
import Postgres
import Shared

/// A secret of an endpoint as it lies in `webhook_secrets`.
enum WebhookSecret {
    /// Each signs every message.
    static let most: Int64 = 8

    /// Seals a secret into a row of its own; the row's id is part of what is sealed.
    static func insert(
        _ secret: String, of endpoint: UUID, tenant: TenantID, _ box: SecretBox
    ) throws -> Command {
        let id = UUID.v7()
        let sealed = try box.seal(Array(secret.utf8), context: SecretTable.webhooks.context(id))
        return """
            INSERT INTO webhook_secrets (tenant_id, id, endpoint_id, master_key_id, sealed)
            VALUES (\(tenant), \(id), \(endpoint), \(sealed.keyID), \(sealed.bytes))
            """
    }

    /// How many count now.
    static func count(of endpoint: UUID, in tenant: TenantID) -> Statement<Int64> {
        """
        SELECT count(*) FROM webhook_secrets
         WHERE tenant_id = \(tenant) AND endpoint_id = \(endpoint) AND (expires_at IS NULL OR expires_at > now())
        """
    }

    /// Those that count now go on signing for so many seconds, or until they expire, whichever is first; those that do not are forgotten.
    static func expireAll(of endpoint: UUID, inSeconds seconds: Int, tenant: TenantID) -> [Command] {
        [
            """
            DELETE FROM webhook_secrets WHERE tenant_id = \(tenant) AND endpoint_id = \(endpoint) AND expires_at <= now()
            """,
            """
            UPDATE webhook_secrets SET expires_at = least(expires_at, now() + make_interval(secs => \(Double(seconds))))
             WHERE tenant_id = \(tenant) AND endpoint_id = \(endpoint)
            """,
        ]
    }
}
