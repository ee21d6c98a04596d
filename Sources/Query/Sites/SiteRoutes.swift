import Foundation
import Hummingbird
import Postgres
import Shared

/// `/sites`, and `/stores` and `/warehouses`: the sites of that kind.
struct SiteRoutes: Sendable {
    let database: Database

    func register(on api: TenantRoutes) {
        api.get("sites", requires: .sitesRead) { try await list($0, $1, nil) }
        api.post("sites", requires: .sitesWrite) { try await create($0, $1, nil) }
        api.post("stores", requires: .sitesWrite) { try await create($0, $1, .store) }
        api.post("warehouses", requires: .sitesWrite) { try await create($0, $1, .warehouse) }
        api.get("sites/:site", requires: .sitesRead) { try await one($1, nil) }
        api.get("stores", requires: .sitesRead) { try await list($0, $1, .store) }
        api.get("stores/:site", requires: .sitesRead) { try await one($1, .store) }
        api.get("stores/:site/status", requires: .sitesRead, use: status)
        api.get("warehouses", requires: .sitesRead) { try await list($0, $1, .warehouse) }
        api.get("warehouses/:site", requires: .sitesRead) { try await one($1, .warehouse) }
    }

    /// Filter: `kind`, where the path doesn't say it.
    private func list(
        _ request: Request, _ context: TenantContext, _ fixed: Site.Kind?
    ) async throws -> PageAnswer<Site> {
        var query = QueryParameters(request)
        let kinds: [Site.Kind] = if let fixed { [fixed] } else { query.words("kind") }
        try query.check()
        let page = try PageRequest<UUID>(request, tenant: context.tenant.uuid)
        let sites = try await database.read(
            context, Site.page(kinds, after: page.after, limit: page.fetchLimit, in: context.scope))
        return try PageAnswer(sites, page, of: request, context) { $0.id }
    }

    /// More stores than the tenant may have are refused by the database: 429 `quota_exceeded`.
    private func create(
        _ request: Request, _ context: TenantContext, _ fixed: Site.Kind?
    ) async throws -> Answer<Site> {
        var body = try await JSONBody(request, context)
        let new = try NewSite(&body, kind: fixed)
        try context.mayReachAllSites()
        let origin = context.origin(of: request)
        return try await database.withTenant(context) { tx in
            guard let site = try await tx.first(Site.insert(new, into: tx.tenantID)) else {
                throw Problem.internal("a new site was not answered")
            }
            let entry = AuditEntry(
                .siteCreated, "site", site.id, before: Site?.none, after: site, by: context.principal, origin)
            try await tx.run(entry.insert(into: tx.tenantID))
            return Answer(site, createdAt: "/api/v1/sites/\(site.id.lowercaseString)")
        }
    }

    private func one(_ context: TenantContext, _ kind: Site.Kind?) async throws -> Answer<Site> {
        let reference = References([try context.parameters.require("site")])
        guard let site = try await database.read(context, Site.find(reference, kind, in: context.scope)).first
        else { throw Problem.notFound(kind?.rawValue ?? "site") }
        return Answer(site)
    }

    @Sendable private func status(_ request: Request, _ context: TenantContext) async throws -> Answer<StoreStatus.View>
    {
        let store = References([try context.parameters.require("site")])
        let now = Timestamp.now()
        let rows = try await database.read(context, StoreStatus.find(store, now: now, in: context.scope))
        guard let status = try StoreStatus(rows) else { throw Problem.notFound("store") }
        return Answer(StoreStatus.View(status: status, now: now))
    }
}
