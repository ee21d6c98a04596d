import Foundation
import HTTPTypes
import Hummingbird
import Postgres
import Shared

/// `/integrations`: the sources of uplinks, with what to type into each.
struct IntegrationRoutes: Sendable {
    let database: Database
    let ingestURL: String
    let secretBox: SecretBox

    func register(on api: TenantRoutes) {
        api.get("integrations", requires: .integrationsRead, use: list)
        api.post("integrations", requires: .integrationsWrite, use: create)
        api.get("integrations/:id", requires: .integrationsRead, use: one)
        api.patch("integrations/:id", requires: .integrationsWrite, use: change)
        api.delete("integrations/:id", requires: .integrationsWrite, use: delete)
    }

    @Sendable private func list(
        _ request: Request, _ context: TenantContext
    ) async throws -> PageAnswer<IntegrationView> {
        let page = try PageRequest<UUID>(request, tenant: context.tenant.uuid)
        let found = try await database.read(
            context, Integration.page(after: page.after, limit: page.fetchLimit, in: context.tenantID))
        return try PageAnswer(found.map { view($0) }, page, of: request, context) { $0.integration.id }
    }

    @Sendable private func one(_ request: Request, _ context: TenantContext) async throws -> Answer<IntegrationView> {
        let id = try context.id("integration")
        guard let found = try await database.read(context, Integration.find(id, in: context.tenantID)).first
        else { throw Problem.notFound("integration") }
        return Answer(view(found))
    }

    @Sendable private func create(_ request: Request, _ context: TenantContext) async throws -> Answer<IntegrationView>
    {
        var body = try await JSONBody(request, context)
        let new = try IntegrationRequest(&body)
        try context.mayReachAllSites()
        let origin = context.origin(of: request)
        let secret = new.auth.newSecret()
        let made = try await database.withTenant(context) { tx in
            guard let made = try await tx.first(Integration.insert(new, into: tx.tenantID)) else {
                throw Problem.internal("a new integration was not answered")
            }
            let seal = try IntegrationSecret.insert(secret, as: .v7(), of: new.id, tenant: tx.tenantID, secretBox)
            let entry = AuditEntry(
                .integrationCreated, "integration", new.id, before: Integration?.none, after: made,
                by: context.principal, origin)
            let commands = [Integration.route(new.id, to: tx.tenantID), seal, entry.insert(into: tx.tenantID)]
            try await tx.run(all: commands)
            return made
        }
        return Answer(
            view(made, secret: secret), isSecret: true, createdAt: "/api/v1/integrations/\(made.id.lowercaseString)")
    }

    @Sendable private func change(_ request: Request, _ context: TenantContext) async throws -> Answer<IntegrationView>
    {
        let id = try context.id("integration")
        let body = try await JSONBody(request, context)
        try context.mayReachAllSites()
        let origin = context.origin(of: request)
        return try await database.withTenant(context) { tx in
            let before = try await Integration.locked(id, in: tx)
            try request.checkIfMatch(view(before))
            var body = body
            let change = try IntegrationChange(&body, of: before)
            guard let after = try await tx.first(change.apply(to: before, in: tx.tenantID)) else {
                throw Problem.notFound("integration")
            }
            let entry = AuditEntry(
                .integrationChanged, "integration", id, before: before, after: after, by: context.principal, origin)
            try await tx.run(entry.insert(into: tx.tenantID))
            return Answer(view(after))
        }
    }

    /// Ingest refuses what it sends within seconds; what it sent stays.
    @Sendable private func delete(_ request: Request, _ context: TenantContext) async throws -> HTTPResponse.Status {
        let id = try context.id("integration")
        try context.mayReachAllSites()
        let origin = context.origin(of: request)
        try await database.withTenant(context) { tx in
            let before = try await Integration.locked(id, in: tx)
            try request.checkIfMatch(view(before))
            let entry = AuditEntry(
                .integrationDeleted, "integration", id, before: before, after: Integration?.none,
                by: context.principal, origin)
            try await tx.run(all: [Integration.delete(id, in: tx.tenantID), entry.insert(into: tx.tenantID)])
        }
        return .noContent
    }

    private func view(_ integration: Integration, secret: String? = nil) -> IntegrationView {
        IntegrationView(integration: integration, ingestURL: ingestURL, secret: secret)
    }
}

extension Integration {
    /// - Throws: `Problem` 404.
    static func locked(_ id: UUID, in tx: TenantTransaction) async throws -> Integration {
        guard let found = try await tx.first(lock(id, in: tx.tenantID)) else { throw Problem.notFound("integration") }
        return found
    }
}
