import Foundation
import Postgres
import Shared

/// Seals what other master keys sealed with the first one.
struct Rewrapping: Sendable {
    struct Report: Encodable, Sendable {
        enum CodingKeys: String, CodingKey {
            case rewrapped, current, unopened
            case keyID = "key_id"
        }

        /// The key that seals now.
        let keyID: String
        var rewrapped = 0
        /// Those that it had sealed already.
        var current = 0
        /// Those of a key that is not in MASTER_KEY, or damaged.
        var unopened = 0
    }

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

    let database: Database
    let box: SecretBox

    func run() async throws -> Report {
        var report = Report(keyID: box.currentKeyID)
        for tenant in try await database.lookUp(Tenant.all()) {
            let sealed = try await database.read(tenant, Self.all(of: tenant.id))
            let others = sealed.filter { $0.keyID != box.currentKeyID }
            report.current += sealed.count - others.count
            for secret in others {
                if try await rewrap(secret, of: tenant) { report.rewrapped += 1 } else { report.unopened += 1 }
            }
        }
        return report
    }

    private func rewrap(_ secret: Sealed, of tenant: Tenant) async throws -> Bool {
        let context = IntegrationSecret.context(secret.id)
        guard let plaintext = try? box.open(secret.bytes, keyID: secret.keyID, context: context) else { return false }
        let sealed = try box.seal(plaintext, context: context)
        try await database.withTenant(tenant) { tx in
            // Who was quicker did the same.
            try await tx.run(
                """
                UPDATE integration_secrets SET sealed = \(sealed.bytes), master_key_id = \(sealed.keyID)
                 WHERE tenant_id = \(tenant.id) AND id = \(secret.id) AND master_key_id = \(secret.keyID)
                """)
            let audit = SystemAudit(
                action: "integration.secret_rewrapped", resourceType: "integration_secret",
                resourceID: secret.id.lowercaseString, after: ["master_key": sealed.keyID])
            try await SystemAudit.append([audit], tenant: tenant.id, in: tx)
        }
        return true
    }

    private static func all(of tenant: TenantID) -> Statement<Sealed> {
        "SELECT id, master_key_id, sealed FROM integration_secrets WHERE tenant_id = \(tenant) ORDER BY id"
    }
}
