import Foundation
import HTTPTypes
import Hummingbird
import Postgres
import Shared

/// `/sites`, and `/stores` and `/warehouses`: the sites of that kind.
struct SiteRoutes: Sendable {
    let database: Database

    func register(on api: TenantRoutes) {
        register(on: api, "sites", nil)
        register(on: api, "stores", .store)
        register(on: api, "warehouses", .warehouse)
        api.get("stores/:site/status", requires: .sitesRead, use: status)
    }

    private func register(on api: TenantRoutes, _ path: String, _ kind: Site.Kind?) {
        api.get(path, requires: .sitesRead) { try await list($0, $1, kind) }
        api.post(path, requires: .sitesWrite) { try await create($0, $1, kind) }
        api.get("\(path)/:site", requires: .sitesRead) { try await one($1, kind) }
        api.patch("\(path)/:site", requires: .sitesWrite) { try await change($0, $1, kind, replaces: false) }
        api.put("\(path)/:site", requires: .sitesWrite) { try await change($0, $1, kind, replaces: true) }
        api.delete("\(path)/:site", requires: .sitesWrite) { try await delete($0, $1, kind) }
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
        let fields = try SiteFields(&body, kind: fixed)
        try context.mayReachAllSites()
        let trail = AuditTrail(request, context)
        return try await Problem.refusedSite {
            try await database.withTenant(context) { tx in
                let site = try await tx.written(Site.insert(fields, into: tx.tenantID))
                try await tx.run(trail.created(.siteCreated, site))
                return Answer(site, createdAt: "/api/v1/sites/\(site.id.lowercaseString)")
            }
        }
    }

    private func one(_ context: TenantContext, _ kind: Site.Kind?) async throws -> Answer<Site> {
        Answer(
            try await database.found(
                context, Site.find(try context.site, kind, in: context.scope), kind?.rawValue ?? "site"))
    }

    /// - Parameter replaces: PUT; else a merge patch.
    private func change(
        _ request: Request, _ context: TenantContext, _ kind: Site.Kind?, replaces: Bool
    ) async throws -> Answer<Site> {
        let reference = try context.site
        let body = try await JSONBody(request, context)
        let trail = AuditTrail(request, context)
        return try await Problem.refusedSite {
            try await database.withTenant(context) { tx in
                let before = try await tx.found(Site.lock(reference, kind, in: context.scope), kind?.rawValue ?? "site")
                try request.checkIfMatch(before)
                var whole = replaces ? body : body.merged(into: before)
                let fields = try SiteFields(&whole, kind: kind)
                let after = try await tx.written(Site.update(before.id, fields, in: tx.tenantID))
                try await tx.run(trail.changed(.siteChanged, before, after))
                return Answer(after)
            }
        }
    }

    /// With its spaces. Reservations to come stand against it, unless `cancel_reservations=true`; goods do in any case.
    private func delete(
        _ request: Request, _ context: TenantContext, _ kind: Site.Kind?
    ) async throws -> HTTPResponse.Status {
        let reference = try context.site
        var query = QueryParameters(request)
        let cancels = query.flag("cancel_reservations")
        try query.check()
        try context.mayReachAllSites()
        let trail = AuditTrail(request, context)
        try await database.withTenant(context) { tx in
            let site = try await tx.found(
                Site.lockWithStock(reference, kind, in: context.scope), kind?.rawValue ?? "site")
            try request.checkIfMatch(site)
            guard try await tx.first(Site.hasGoods(site.id, in: tx.tenantID)) == false else {
                throw Problem.conflict(
                    "has_goods",
                    detail: "There is stock, or an open vale or purchase request names it: clear these first.")
            }
            let ids = try await tx.all(Space.lock(of: site.id, in: context.scope))
            let spaces = try await tx.all(Space.all(ids, in: context.scope))
            try await Reservation.clear(ids, cancels: cancels, trail, in: tx)
            let commands = spaces.map { trail.deleted(.spaceDeleted, $0) } + [trail.deleted(.siteDeleted, site)]
            try await tx.run(all: Site.delete(site.id, in: tx.tenantID) + commands)
        }
        return .noContent
    }

    @Sendable private func status(_ request: Request, _ context: TenantContext) async throws -> Answer<StoreStatus.View>
    {
        let store = try context.site
        let now = Timestamp.now()
        let rows = try await database.read(context, StoreStatus.find(store, now: now, in: context.scope))
        guard let status = try StoreStatus(rows) else { throw Problem.notFound("store") }
        return Answer(StoreStatus.View(status: status, now: now))
    }
}

extension Problem {
    /// The server's list of zones, which evaluates opening hours, may lack some that this process knows.
    fileprivate static func refusedSite<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let error where error.postgresError?.constraint == "sites_timezone" {
            throw unprocessable([
                FieldError(field: "timezone", code: "unknown_timezone", detail: "The database knows no such zone.")
            ])
        }
    }
}
