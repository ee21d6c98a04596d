import Foundation
import HTTPTypes
import Hummingbird
import Postgres
import Shared

/// `/integrations/{id}/secrets`: rotated with overlap, and withdrawn.
struct IntegrationSecretRoutes: Sendable {
    /// Ingest tries each of them on every body.
    private static let mostSecrets = 8

    let database: Database
    let secretBox: SecretBox

    func register(on api: TenantRoutes) {
        api.get("integrations/:id/secrets", requires: .integrationsRead, use: list)
        api.post("integrations/:id/secrets", requires: .integrationsWrite, use: create)
        api.get("integrations/:id/secrets/:secret", requires: .integrationsRead, use: one)
        api.delete("integrations/:id/secrets/:secret", requires: .integrationsWrite, use: revoke)
    }

    @Sendable private func one(_ request: Request, _ context: TenantContext) async throws -> Answer<SecretView> {
        let id = try context.id("integration")
        guard let secret = context.parameters.get("secret", as: UUID.self),
            let found = try await database.read(context, SecretView.all(of: id, in: context.tenantID))
                .first(where: { $0.id == secret })
        else { throw Problem.notFound("secret") }
        return Answer(found)
    }

    /// Those that count now: few, so all on one page.
    @Sendable private func list(_ request: Request, _ context: TenantContext) async throws -> PageAnswer<SecretView> {
        let id = try context.id("integration")
        let secrets: [SecretView] = try await database.withTenant(context) { tx in
            guard try await tx.first(Integration.find(id, in: tx.tenantID)) != nil else {
                throw Problem.notFound("integration")
            }
            return try await tx.all(SecretView.all(of: id, in: tx.tenantID))
        }
        return try PageAnswer(secrets, .everything(request, context), of: request, context) { $0.id }
    }

    /// A new one; those that count now go on counting until the overlap is over.
    @Sendable private func create(_ request: Request, _ context: TenantContext) async throws -> Answer<SecretView> {
        let id = try context.id("integration")
        var body = try await JSONBody(request, context, mayBeEmpty: true)
        let overlap = body.overlap()
        try body.check()
        try context.mayReachAllSites()
        let origin = context.origin(of: request)
        let secretID = UUID.v7()
        let made: SecretView = try await database.withTenant(context) { tx in
            let integration = try await Integration.locked(id, in: tx)
            guard try await tx.all(SecretView.all(of: id, in: tx.tenantID)).count < Self.mostSecrets else {
                throw Problem.conflict(
                    "too_many_secrets", detail: "\(Self.mostSecrets) secrets count already: withdraw one of them.")
            }
            let secret = integration.auth.newSecret()
            let entry = AuditEntry(
                .secretRotated, "integration", id, before: String?.none, after: secretID.lowercaseString,
                by: context.principal, origin)
            let commands = [
                IntegrationSecret.expireAll(of: id, inSeconds: overlap, tenant: tx.tenantID),
                try IntegrationSecret.insert(secret, as: secretID, of: id, tenant: tx.tenantID, secretBox),
                entry.insert(into: tx.tenantID),
            ]
            try await tx.run(all: commands)
            guard
                var made = try await tx.all(SecretView.all(of: id, in: tx.tenantID)).first(where: { $0.id == secretID })
            else { throw Problem.internal("a new secret was not answered") }
            made.secret = secret
            return made
        }
        let path = "/api/v1/integrations/\(id.lowercaseString)/secrets/\(secretID.lowercaseString)"
        return Answer(made, isSecret: true, createdAt: path)
    }

    @Sendable private func revoke(_ request: Request, _ context: TenantContext) async throws -> HTTPResponse.Status {
        let id = try context.id("integration")
        guard let secret = context.parameters.get("secret", as: UUID.self) else { throw Problem.notFound("secret") }
        try context.mayReachAllSites()
        let origin = context.origin(of: request)
        try await database.withTenant(context) { tx in
            _ = try await Integration.locked(id, in: tx)
            guard try await tx.first(SecretView.revoke(secret, of: id, in: tx.tenantID)) != nil else {
                throw Problem.notFound("secret")
            }
            let entry = AuditEntry(
                .secretRevoked, "integration", id, before: secret.lowercaseString, after: String?.none,
                by: context.principal, origin)
            try await tx.run(entry.insert(into: tx.tenantID))
        }
        return .noContent
    }
}
