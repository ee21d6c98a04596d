import Foundation
import Hummingbird
import Postgres
import Shared

struct AuditLogRoutes: Sendable {
    let database: Database

    func register(on api: TenantRoutes) {
        api.get("audit-logs", requires: .auditLogsRead, use: list)
        api.get("audit-logs/:id", requires: .auditLogsRead, use: one)
    }

    /// Newest first. Filters: `actor_id`, `action`, `resource_type`, `resource_id`, and half-open `from` and `to`.
    @Sendable private func list(_ request: Request, _ context: TenantContext) async throws -> PageAnswer<AuditLog> {
        var query = QueryParameters(request)
        let filter = AuditLog.Filter(
            actors: query.ids("actor_id"), actions: query.list("action"), resourceTypes: query.list("resource_type"),
            resourceIDs: query.list("resource_id"), from: query.time("from"), to: query.time("to"))
        try query.check()
        let page = try PageRequest<AuditLog.Position>(request, tenant: context.tenant.uuid)
        let entries = try await database.read(
            context,
            AuditLog.page(
                filter, before: page.after, limit: page.fetchLimit, for: context.principal, in: context.tenantID))
        return try PageAnswer(entries, page, of: request, context) { $0.position }
    }

    @Sendable private func one(_ request: Request, _ context: TenantContext) async throws -> Answer<AuditLog> {
        let id = try context.id("audit log")
        let found = try await database.read(
            context, AuditLog.find(id, for: context.principal, in: context.tenantID))
        guard let entry = found.first else { throw Problem.notFound("audit log") }
        return Answer(entry)
    }
}
