import Foundation
import Postgres
import Shared

/// Every secret that counts opens under MASTER_KEY: those that do not lock their network server out, or leave messages of webhooks unsigned.
struct SecretCheck: DoctorCheck {
    let name = "sealed secrets"
    let secretBox: SecretBox?

    func examine(_ database: Database) async throws -> [Finding] {
        guard let secretBox else { return [.warn(name, "MASTER_KEY is not set")] }
        var shut: [String] = []
        var opened = 0
        for tenant in try await database.lookUp(Tenant.all()) {
            for table in SecretTable.allCases {
                for secret in try await database.read(tenant, table.active(of: tenant.id)) {
                    if (try? secret.open(of: table, with: secretBox)) == nil {
                        shut.append("\(tenant.slug)/\(table.context(secret.id)) (key \(secret.keyID))")
                    } else {
                        opened += 1
                    }
                }
            }
        }
        guard shut.isEmpty else { return [.fail(name, "MASTER_KEY does not open \(shut.joined(separator: ", "))")] }
        return [.ok(name, "\(opened) open")]
    }
}
