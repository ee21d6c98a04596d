import Foundation
import Postgres
import Shared
import Support

@testable import Admin

/// A database with one onboarded tenant, as the tool sees it and as a superuser does.
struct OperatedDatabase: Sendable {
    static let secretBox = Result {
        try SecretBox(masterKey: "k1:" + Data(repeating: 7, count: 32).base64EncodedString())
    }

    let migrated: MigratedDatabase
    let system: SystemDatabase
    let tenant: Tenant
    let report: OnboardingReport

    static func with(
        plan: Plan = .basic, stores: Int = 2, _ body: @Sendable (OperatedDatabase) async throws -> Void
    ) async throws {
        try await MigratedDatabase.withClone { migrated in
            try await migrated.withPool(as: .system) { database in
                let system = SystemDatabase(database: database)
                let report = try await onboarding(plan: plan, stores: stores)
                    .run(in: system, secretBox: secretBox.get())
                let tenant = try await system.tenant("acme")
                try await body(
                    OperatedDatabase(migrated: migrated, system: system, tenant: tenant, report: report))
            }
        }
    }

    static func onboarding(
        slug: String = "acme", plan: Plan = .basic, stores: Int = 2, email: String = "Ann@acme.example",
        integration: NewIntegration? = NewIntegration(name: "Network", dialect: .generic, auth: .hmac)
    ) throws -> Onboarding {
        try Onboarding(
            slug: slug, name: "Acme", plan: plan, stores: stores, timezone: "Europe/Madrid", email: email,
            userName: "Ann", password: nil, integration: integration)
    }

    /// Past row-level security.
    func all<Value: RowDecodable>(_ statement: Statement<Value>) async throws -> [Value] {
        try await migrated.asSuperuser { try await $0.all(statement) }
    }

    /// Of an endpoint of its own.
    func addWebhookSecret(_ secret: String, sealedBy box: SecretBox) async throws -> UUID {
        let (endpoint, id) = (UUID.v7(), UUID.v7())
        let sealed = try box.seal(Array(secret.utf8), context: SecretTable.webhooks.context(id))
        try await migrated.asSuperuser { connection in
            try await connection.run(
                """
                INSERT INTO webhook_endpoints (tenant_id, id, url) VALUES (\(tenant.id), \(endpoint), 'https://example.com')
                """)
            try await connection.run(
                """
                INSERT INTO webhook_secrets (tenant_id, id, endpoint_id, master_key_id, sealed)
                VALUES (\(tenant.id), \(id), \(endpoint), \(sealed.keyID), \(sealed.bytes))
                """)
        }
        return id
    }

    func count(_ statement: Statement<Int64>) async throws -> Int64 {
        try await all(statement).first ?? -1
    }

    func importDevices(_ csv: String, createSpaces: Bool = false) async throws -> [DeviceImport.Outcome] {
        try await DeviceImport(
            database: system.database, tenant: tenant,
            .init(createsSpaces: createSpaces, record: SystemAudit.devices(of: tenant.id))
        )
        .run(DeviceFile(Array(csv.utf8)))
    }
}
