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

    let database: Database
    let box: SecretBox

    func run() async throws -> Report {
        var report = Report(keyID: box.currentKeyID)
        for tenant in try await database.lookUp(Tenant.all()) {
            for table in SecretTable.allCases {
                let sealed = try await database.read(tenant, table.all(of: tenant.id))
                let others = sealed.filter { $0.keyID != box.currentKeyID }
                report.current += sealed.count - others.count
                for secret in others {
                    let isDone = try await rewrap(secret, in: table, of: tenant)
                    if isDone { report.rewrapped += 1 } else { report.unopened += 1 }
                }
            }
        }
        return report
    }

    private func rewrap(_ secret: SealedSecret, in table: SecretTable, of tenant: Tenant) async throws -> Bool {
        guard let plaintext = try? secret.open(of: table, with: box) else { return false }
        let sealed = try box.seal(plaintext, context: table.context(secret.id))
        try await database.withTenant(tenant) { tx in
            try await tx.run(table.reseal(secret, as: sealed, in: tenant.id))
            let audit = SystemAudit(
                action: table.rewrapped, resourceType: table.resourceType,
                resourceID: secret.id.lowercaseString, after: ["master_key": sealed.keyID])
            try await SystemAudit.append([audit], tenant: tenant.id, in: tx)
        }
        return true
    }
}

extension SecretTable {
    fileprivate var rewrapped: String {
        switch self {
        case .integrations: "integration.secret_rewrapped"
        case .webhooks: "webhook_endpoint.secret_rewrapped"
        }
    }

    fileprivate var resourceType: String {
        switch self {
        case .integrations: "integration_secret"
        case .webhooks: "webhook_secret"
        }
    }
}
