import Foundation
import Postgres
import Shared

/// Every secret that counts opens under MASTER_KEY: those that do not lock their network server out.
struct SecretCheck: DoctorCheck {
    let name = "integration secrets"
    let secretBox: SecretBox?

    private struct Sealed: RowDecodable {
        let id: UUID
        let keyID: String
        let bytes: [UInt8]

        init(_ row: Row) throws {
            id = try row["id"]
            keyID = try row["master_key_id"]
            bytes = try row["sealed"]
        }
    }

    func examine(_ database: Database) async throws -> [Finding] {
        guard let secretBox else { return [.warn(name, "MASTER_KEY is not set")] }
        var shut: [String] = []
        var opened = 0
        for tenant in try await database.lookUp(Tenant.all()) {
            for secret in try await database.read(tenant, Self.active(tenant.id)) {
                let context = IntegrationSecret.context(secret.id)
                if (try? secretBox.open(secret.bytes, keyID: secret.keyID, context: context)) == nil {
                    shut.append("\(tenant.slug)/\(secret.id.lowercaseString) (key \(secret.keyID))")
                } else {
                    opened += 1
                }
            }
        }
        guard shut.isEmpty else { return [.fail(name, "MASTER_KEY does not open \(shut.joined(separator: ", "))")] }
        return [.ok(name, "\(opened) open")]
    }

    private static func active(_ tenant: TenantID) -> Statement<Sealed> {
        """
        SELECT id, master_key_id, sealed FROM integration_secrets
         WHERE tenant_id = \(tenant) AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
        """
    }
}
