import Foundation
import Hummingbird
import Postgres
import Shared

/// What became of each event that an endpoint was owed, and sending it again.
struct WebhookDeliveryRoutes: Sendable {
    let database: Database

    func register(on api: TenantRoutes) {
        api.get("webhook-endpoints/:id/deliveries", requires: .webhookEndpointsRead, use: list)
        let paths = [
            "webhook-endpoints/:id/deliveries/:delivery", "webhook-endpoints/deliveries/:delivery",
            "deliveries/:delivery",
        ]
        for path in paths { api.post("\(path)/resend", requires: .webhookEndpointsWrite, use: resend) }
    }

    /// Newest first. Filter: `status`.
    @Sendable private func list(
        _ request: Request, _ context: TenantContext
    ) async throws -> PageAnswer<WebhookDelivery> {
        try context.mayReachAllSites()
        let id = try context.id("webhook endpoint")
        var query = QueryParameters(request)
        let statuses: [WebhookDelivery.Status] = query.words("status")
        try query.check()
        let page = try PageRequest<UUID>(request, tenant: context.tenant.uuid)
        let deliveries = try await database.withTenant(context) { tx in
            _ = try await tx.found(WebhookEndpoint.find(id, in: tx.tenantID), "webhook endpoint")
            return try await tx.all(
                WebhookDelivery.page(of: id, statuses, before: page.after, limit: page.fetchLimit, in: tx.tenantID))
        }
        return try PageAnswer(deliveries, page, of: request, context) { $0.id }
    }

    /// Whatever became of it before. Whoever receives it knows it by its event's id.
    @Sendable private func resend(_ request: Request, _ context: TenantContext) async throws -> Answer<WebhookDelivery>
    {
        try context.mayReachAllSites()
        guard let id = context.parameters.get("delivery", as: UUID.self) else { throw Problem.notFound("delivery") }
        let endpoint = context.parameters.get("id") == nil ? nil : try context.id("delivery")
        let trail = AuditTrail(request, context)
        return try await database.withTenant(context) { tx in
            let before = try await tx.found(WebhookDelivery.lock(id, of: endpoint, in: tx.tenantID), "delivery")
            // One that is deleted has no secrets to sign with.
            _ = try await tx.found(WebhookEndpoint.find(before.endpointID, in: tx.tenantID), "delivery")
            try await tx.run(WebhookDelivery.resend(id, in: tx.tenantID))
            let after = try await tx.found(WebhookDelivery.find(id, in: tx.tenantID), "delivery")
            try await tx.run(trail.changed(.deliveryResent, before, after))
            return Answer(after)
        }
    }
}
