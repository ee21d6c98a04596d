import Foundation
import Postgres
import Shared

/// The integrations of one tenant.
struct Integrations: Sendable {
    let database: Database
    let tenant: Tenant

    func create(_ integration: NewIntegration, secretBox: SecretBox) async throws -> IssuedIntegration {
        try await database.withTenant(tenant) { tx in
            try await integration.create(in: tx, tenant: tenant.id, secretBox: secretBox)
        }
    }

    /// A new secret; those that count now go on counting until the overlap is over.
    func rotate(
        _ id: UUID, overlapSeconds: Int, ingestURL: String, secretBox: SecretBox
    ) async throws -> IssuedIntegration {
        try await database.withTenant(tenant) { tx in
            let name: String? = try await tx.first(
                """
                SELECT auth FROM integrations WHERE tenant_id = \(tenant.id) AND id = \(id) AND deleted_at IS NULL
                """)
            guard let auth = name.flatMap(IntegrationAuth.init(rawValue:)) else {
                throw Refusal(.conflict, "\(tenant.slug) has no integration \(id.lowercaseString)")
            }
            try await tx.run(IntegrationSecret.expireAll(of: id, inSeconds: overlapSeconds, tenant: tenant.id))
            let secret = auth.newSecret()
            try await tx.run(IntegrationSecret.insert(secret, as: .v7(), of: id, tenant: tenant.id, secretBox))
            let audit = SystemAudit(
                action: "integration.secret_rotated", resourceType: "integration", resourceID: id.lowercaseString,
                after: ["overlap_seconds": String(overlapSeconds)])
            try await SystemAudit.append([audit], tenant: tenant.id, in: tx)
            return IssuedIntegration(
                id: id.lowercaseString, secret: secret, url: "\(ingestURL)/v1/webhooks/\(id.lowercaseString)",
                auth: auth.rawValue)
        }
    }

    func list() async throws -> [IntegrationSummary] {
        try await database.read(tenant, IntegrationSummary.all(of: tenant.id))
    }
}

/// A line of `integration list`.
struct IntegrationSummary: RowDecodable, Encodable {
    let id: String
    let name: String
    let dialect: String
    let auth: String
    let isActive: Bool
    let secrets: Int64

    private enum CodingKeys: String, CodingKey {
        case id, name, dialect, auth, secrets
        case isActive = "is_active"
    }

    init(_ row: Row) throws {
        let id: UUID = try row["id"]
        self.id = id.lowercaseString
        name = try row["name"]
        dialect = try row["dialect"]
        auth = try row["auth"]
        isActive = try row["is_active"]
        secrets = try row["secrets"]
    }

    static func all(of tenant: TenantID) -> Statement<IntegrationSummary> {
        """
        SELECT i.id, i.name, i.dialect, i.auth, i.is_active,
               (SELECT count(*) FROM integration_secrets s
                 WHERE s.tenant_id = i.tenant_id AND s.integration_id = i.id AND s.revoked_at IS NULL
                   AND (s.expires_at IS NULL OR s.expires_at > now())) AS secrets
          FROM integrations i
         WHERE i.tenant_id = \(tenant) AND i.deleted_at IS NULL
         ORDER BY i.created_at
        """
    }
}
