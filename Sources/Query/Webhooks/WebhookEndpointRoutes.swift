import Foundation
import HTTPTypes
import Hummingbird
import Postgres
import Shared

/// `/webhook-endpoints`: where a tenant's events are sent. They tell of all sites, so members limited to some have nothing to do with them.
struct WebhookEndpointRoutes: Sendable {
    let database: Database
    let secretBox: SecretBox
    let addresses: AddressLookup

    func register(on api: TenantRoutes) {
        api.get("webhook-endpoints", requires: .webhookEndpointsRead, use: list)
        api.post("webhook-endpoints", requires: .webhookEndpointsWrite, use: create)
        api.get("webhook-endpoints/:id", requires: .webhookEndpointsRead, use: one)
        api.patch("webhook-endpoints/:id", requires: .webhookEndpointsWrite) {
            try await change($0, $1, replaces: false)
        }
        api.put("webhook-endpoints/:id", requires: .webhookEndpointsWrite) { try await change($0, $1, replaces: true) }
        api.delete("webhook-endpoints/:id", requires: .webhookEndpointsWrite, use: delete)
        api.post("webhook-endpoints/:id/rotate", requires: .webhookEndpointsWrite, use: rotate)
    }

    @Sendable private func list(
        _ request: Request, _ context: TenantContext
    ) async throws -> PageAnswer<WebhookEndpoint> {
        try context.mayReachAllSites()
        let page = try PageRequest<UUID>(request, tenant: context.tenant.uuid)
        let found = try await database.read(
            context, WebhookEndpoint.page(after: page.after, limit: page.fetchLimit, in: context.tenantID))
        return try PageAnswer(found, page, of: request, context) { $0.id }
    }

    @Sendable private func one(_ request: Request, _ context: TenantContext) async throws -> Answer<WebhookEndpoint> {
        try context.mayReachAllSites()
        let id = try context.id("webhook endpoint")
        return Answer(
            try await database.found(context, WebhookEndpoint.find(id, in: context.tenantID), "webhook endpoint"))
    }

    @Sendable private func create(
        _ request: Request, _ context: TenantContext
    ) async throws -> Answer<IssuedWebhookEndpoint> {
        try context.mayReachAllSites()
        var body = try await JSONBody(request, context)
        let fields = try WebhookEndpointFields(&body)
        try await checkAddress(of: fields.url)
        let trail = AuditTrail(request, context)
        let secret = IntegrationAuth.newWebhookSecret()
        let made = try await database.withTenant(context) { tx in
            guard try await tx.first(WebhookEndpoint.count(in: tx.tenantID)) ?? 0 < WebhookEndpoint.most else {
                throw Problem.conflict(
                    "too_many_endpoints", detail: "A tenant has \(WebhookEndpoint.most) endpoints at most.")
            }
            let made = try await tx.written(WebhookEndpoint.insert(fields, into: tx.tenantID))
            let seal = try WebhookSecret.insert(secret, of: made.id, tenant: tx.tenantID, secretBox)
            try await tx.run(all: [seal, trail.created(.endpointCreated, made)])
            return made
        }
        return Answer(
            IssuedWebhookEndpoint(endpoint: made, secret: secret), isSecret: true,
            createdAt: "/api/v1/webhook-endpoints/\(made.id.lowercaseString)")
    }

    /// - Parameter replaces: PUT; else a merge patch.
    private func change(
        _ request: Request, _ context: TenantContext, replaces: Bool
    ) async throws -> Answer<WebhookEndpoint> {
        try context.mayReachAllSites()
        let id = try context.id("webhook endpoint")
        let body = try await JSONBody(request, context)
        // Before the transaction, which must not wait for name servers. What is not sent was checked when it was.
        var sent = body
        if let url = sent.webhookURL("url") { try await checkAddress(of: url.text) }
        let trail = AuditTrail(request, context)
        return try await database.withTenant(context) { tx in
            let before = try await tx.found(WebhookEndpoint.lock(id, in: tx.tenantID), "webhook endpoint")
            try request.checkIfMatch(before)
            var whole = replaces ? body : body.merged(into: before)
            let fields = try WebhookEndpointFields(&whole)
            let after = try await tx.written(WebhookEndpoint.update(id, fields, in: tx.tenantID))
            let hurry = before.isActive || !after.isActive ? [] : [WebhookDelivery.hurry(to: id, in: tx.tenantID)]
            try await tx.run(all: [trail.changed(.endpointChanged, before, after)] + hurry)
            return Answer(after)
        }
    }

    @Sendable private func delete(_ request: Request, _ context: TenantContext) async throws -> HTTPResponse.Status {
        try context.mayReachAllSites()
        let id = try context.id("webhook endpoint")
        let trail = AuditTrail(request, context)
        try await database.withTenant(context) { tx in
            let before = try await tx.found(WebhookEndpoint.lock(id, in: tx.tenantID), "webhook endpoint")
            try request.checkIfMatch(before)
            let commands = WebhookEndpoint.delete(id, in: tx.tenantID) + [trail.deleted(.endpointDeleted, before)]
            try await tx.run(all: commands)
        }
        return .noContent
    }

    /// A new secret; those that count go on signing, beside it, until the overlap is over.
    @Sendable private func rotate(
        _ request: Request, _ context: TenantContext
    ) async throws -> Answer<IssuedWebhookEndpoint> {
        try context.mayReachAllSites()
        let id = try context.id("webhook endpoint")
        var body = try await JSONBody(request, context, mayBeEmpty: true)
        let overlap = body.overlap()
        try body.check()
        let trail = AuditTrail(request, context)
        let secret = IntegrationAuth.newWebhookSecret()
        return try await database.withTenant(context) { tx in
            let endpoint = try await tx.found(WebhookEndpoint.lock(id, in: tx.tenantID), "webhook endpoint")
            // Without an overlap it is the only one that is left.
            let signing = overlap == 0 ? 0 : try await tx.first(WebhookSecret.count(of: id, in: tx.tenantID)) ?? 0
            guard signing < WebhookSecret.most else {
                throw Problem.conflict(
                    "too_many_secrets", detail: "\(WebhookSecret.most) secrets sign already: wait until one expires.")
            }
            let commands =
                WebhookSecret.expireAll(of: id, inSeconds: overlap, tenant: tx.tenantID) + [
                    try WebhookSecret.insert(secret, of: id, tenant: tx.tenantID, secretBox),
                    trail.changed(.endpointRotated, endpoint, endpoint),
                ]
            try await tx.run(all: commands)
            return Answer(IssuedWebhookEndpoint(endpoint: endpoint, secret: secret), isSecret: true)
        }
    }

    /// A name without an address may have one tomorrow; each attempt asks again.
    /// - Throws: `Problem` 422 for a place that we do not connect to.
    private func checkAddress(of url: String) async throws {
        guard let target = try? WebhookURL(url) else { return }
        do {
            _ = try await addresses.addresses(of: target.host, within: .seconds(3))
        } catch .refused {
            throw Problem.unprocessable([
                .init(
                    field: "url", code: "address_refused", detail: "Nothing is sent to private and special addresses.")
            ])
        } catch {}
    }
}
