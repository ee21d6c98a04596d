import Foundation
import Hummingbird
import Postgres
import Shared

struct AlertRoutes: Sendable {
    let database: Database

    func register(on api: TenantRoutes) {
        api.get("alerts", requires: .alertsRead, use: list)
        api.get("alerts/:id", requires: .alertsRead, use: one)
        for step in AlertStep.allCases {
            api.post("alerts/:id/\(step.rawValue)", requires: .alertsWrite) { try await take(step, $0, $1) }
        }
        api.post("alerts/:id/comments", requires: .alertsWrite, use: comment)
    }

    /// Newest first. Filters: `status`, `kind`, `severity`, and `site` (id or code).
    @Sendable private func list(_ request: Request, _ context: TenantContext) async throws -> PageAnswer<Alert> {
        var query = QueryParameters(request)
        let filter = Alert.Filter(
            statuses: query.words("status"), kinds: query.list("kind"), severities: query.words("severity"),
            sites: query.references("site"))
        try query.check()
        let page = try PageRequest<Alert.Position>(request, tenant: context.tenant.uuid)
        let wanted = Alert.page(filter, before: page.after, limit: page.fetchLimit, in: context.scope)
        let alerts = try await database.withTenant(context) { tx in try await tx.allAlerts(wanted) }
        return try PageAnswer(alerts, page, of: request, context) { $0.position }
    }

    @Sendable private func one(_ request: Request, _ context: TenantContext) async throws -> Answer<Alert> {
        let find = Alert.find(try context.id("alert"), in: context.scope)
        return Answer(try await database.withTenant(context) { tx in try await tx.foundAlert(find) })
    }

    /// Nothing changes where it is so already.
    private func take(
        _ step: AlertStep, _ request: Request, _ context: TenantContext
    ) async throws -> Answer<Alert> {
        let id = try context.id("alert")
        let trail = AuditTrail(request, context)
        return try await database.withTenant(context) { tx in
            let before = try await tx.foundAlert(Alert.lock(id, in: context.scope))
            try request.checkIfMatch(before)
            if before.siteID == nil { try context.mayReachAllSites() }
            let after: Alert?
            do throws(AlertStep.Refusal) {
                after = try step.apply(to: before, by: context.principal.name, at: .now())
            } catch {
                throw Problem.conflict(error.code, detail: error.detail)
            }
            guard let after else { return Answer(before) }
            try await tx.run(all: [after.settle(in: tx.tenantID), trail.changed(step.action, before, after)])
            return Answer(try await tx.foundAlert(Alert.find(id, in: context.scope)))
        }
    }

    @Sendable private func comment(_ request: Request, _ context: TenantContext) async throws -> Answer<Alert> {
        let id = try context.id("alert")
        var body = try await JSONBody(request, context)
        let text = body.requiredText("text").trimmingCharacters(in: .whitespacesAndNewlines)
        if body.faults.isEmpty, !(1...AlertComment.longest).contains(text.unicodeScalars.count) {
            body.refuse("text", "invalid_length", "Must have 1 to \(AlertComment.longest) characters.")
        }
        try body.check()
        let trail = AuditTrail(request, context)
        return try await database.withTenant(context) { tx in
            let before = try await tx.foundAlert(Alert.lock(id, in: context.scope))
            if before.siteID == nil { try context.mayReachAllSites() }
            guard before.comments.count < AlertComment.most else {
                throw Problem.conflict(
                    "too_many_comments", detail: "An alert has \(AlertComment.most) comments at most.")
            }
            let comment = AlertComment(
                id: UUID.v7(), alertID: id, actor: context.principal.actor, text: text, createdAt: .now())
            try await tx.run(all: [
                comment.insert(into: tx.tenantID), Alert.touch(id, in: tx.tenantID),
                trail.entry(.alertCommented, Alert.resourceType, id, before: nil, after: comment, site: before.siteID),
            ])
            let after = try await tx.foundAlert(Alert.find(id, in: context.scope))
            return Answer(after)
        }
    }
}
