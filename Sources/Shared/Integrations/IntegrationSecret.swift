import Foundation
import Postgres

/// A secret of an integration as it lies in `integration_secrets`.
package enum IntegrationSecret {
    /// Seals a secret into a row of its own; the row's id is part of what is sealed.
    package static func insert(
        _ secret: String, as id: UUID, of integration: UUID, tenant: TenantID, _ box: SecretBox
    ) throws -> Command {
        let sealed = try box.seal(Array(secret.utf8), context: SecretTable.integrations.context(id))
        return """
            INSERT INTO integration_secrets (tenant_id, id, integration_id, master_key_id, sealed)
            VALUES (\(tenant), \(id), \(integration), \(sealed.keyID), \(sealed.bytes))
            """
    }

    /// Those that count now go on counting for so many seconds, or until they expire, whichever is first.
    package static func expireAll(of integration: UUID, inSeconds seconds: Int, tenant: TenantID) -> Command {
        """
        UPDATE integration_secrets
           SET expires_at = least(expires_at, now() + make_interval(secs => \(Double(seconds))))
         WHERE tenant_id = \(tenant) AND integration_id = \(integration) AND revoked_at IS NULL
           AND (expires_at IS NULL OR expires_at > now())
        """
    }
}
