import Foundation
import Postgres

/// The tables that hold sealed secrets.
package enum SecretTable: String, CaseIterable, Sendable {
    case integrations = "integration_secrets"
    case webhooks = "webhook_secrets"

    /// What a sealed secret is bound to: moved to another row, it does not open.
    package func context(_ id: UUID) -> String {
        "\(rawValue)/\(id.uuidString.lowercased())"
    }

    /// Whether they count or not.
    package func all(of tenant: TenantID) -> Statement<SealedSecret> {
        switch self {
        case .integrations:
            "SELECT id, master_key_id, sealed FROM integration_secrets WHERE tenant_id = \(tenant) ORDER BY id"
        case .webhooks:
            "SELECT id, master_key_id, sealed FROM webhook_secrets WHERE tenant_id = \(tenant) ORDER BY id"
        }
    }

    /// Those that count now.
    package func active(of tenant: TenantID) -> Statement<SealedSecret> {
        switch self {
        case .integrations:
            """
            SELECT id, master_key_id, sealed FROM integration_secrets
             WHERE tenant_id = \(tenant) AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
            """
        case .webhooks:
            """
            SELECT id, master_key_id, sealed FROM webhook_secrets
             WHERE tenant_id = \(tenant) AND (expires_at IS NULL OR expires_at > now())
            """
        }
    }

    /// Puts one in the place of what it was; who was quicker did the same.
    package func reseal(_ secret: SealedSecret, as new: SecretBox.Sealed, in tenant: TenantID) -> Command {
        switch self {
        case .integrations:
            """
            UPDATE integration_secrets SET sealed = \(new.bytes), master_key_id = \(new.keyID)
             WHERE tenant_id = \(tenant) AND id = \(secret.id) AND master_key_id = \(secret.keyID)
            """
        case .webhooks:
            """
            UPDATE webhook_secrets SET sealed = \(new.bytes), master_key_id = \(new.keyID)
             WHERE tenant_id = \(tenant) AND id = \(secret.id) AND master_key_id = \(secret.keyID)
            """
        }
    }
}

/// A row of one of the ``SecretTable``s.
package struct SealedSecret: RowDecodable, Sendable {
    package let id: UUID
    package let keyID: String
    package let bytes: [UInt8]

    package init(_ row: Row) throws {
        id = try row["id"]
        keyID = try row["master_key_id"]
        bytes = try row["sealed"]
    }

    /// - Throws: `SecretBox.Fault`.
    package func open(of table: SecretTable, with box: SecretBox) throws(SecretBox.Fault) -> [UInt8] {
        try box.open(bytes, keyID: keyID, context: table.context(id))
    }
}
