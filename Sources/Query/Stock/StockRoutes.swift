import Foundation
import Hummingbird
import Postgres
import Shared

/// Levels, and the movements that people enter.
struct StockRoutes: Sendable {
    let database: Database

    func register(on api: TenantRoutes) {
        api.get("stock-levels", requires: .stockLevelsRead, use: levels)
        api.get("stock-movements", requires: .stockMovementsRead, use: list)
        api.post("stock-movements", requires: .stockMovementsWrite, use: create)
        api.get("stock-movements/:id", requires: .stockMovementsRead, use: one)
    }

    /// Filters: `product_id`, `site_id` (id or code).
    @Sendable private func levels(_ request: Request, _ context: TenantContext) async throws -> PageAnswer<StockLevel> {
        var query = QueryParameters(request)
        let (products, sites) = (query.ids("product_id"), query.references("site_id"))
        try query.check()
        let page = try PageRequest<StockLevel.Position>(request, tenant: context.tenant.uuid)
        let found = try await database.read(
            context,
            StockLevel.page(
                products: products, sites: sites, after: page.after, limit: page.fetchLimit, in: context.scope))
        return try PageAnswer(found, page, of: request, context) { $0.position }
    }

    /// Newest first. Filters: `product_id`, `site_id` (id or code), `kind`; `from` and `to`, half-open.
    @Sendable private func list(
        _ request: Request, _ context: TenantContext
    ) async throws -> PageAnswer<StockMovement> {
        var query = QueryParameters(request)
        var filter = StockMovement.Filter(
            products: query.ids("product_id"), sites: query.references("site_id"), kinds: query.words("kind"))
        if query.text("from") != nil || query.text("to") != nil { filter.span = query.openSpan("from", "to") }
        try query.check()
        let page = try PageRequest<UUID>(request, tenant: context.tenant.uuid)
        let movements = try await database.read(
            context, StockMovement.page(filter, after: page.after, limit: page.fetchLimit, in: context.scope))
        return try PageAnswer(movements, page, of: request, context) { $0.id }
    }

    @Sendable private func one(_ request: Request, _ context: TenantContext) async throws -> Answer<StockMovement> {
        let find = StockMovement.find(try context.id("stock movement"), in: context.scope)
        return Answer(try await database.found(context, find, "stock movement"))
    }

    @Sendable private func create(
        _ request: Request, _ context: TenantContext
    ) async throws -> Answer<Created<StockMovement>> {
        var body = try await JSONBody(request, context)
        let fields = try StockMovementFields(&body)
        let key = try IdempotencyKey(
            request, field: fields.words.requestID, operation: "stock-movements", payload: fields)
        let trail = AuditTrail(request, context)
        let ledger = Ledger(scope: context.scope, actor: context.principal.actor)
        return try await database.withTenant(context) { tx in
            if let answer = try await key?.begin(in: tx) {
                try context.checkMaySee([fields.place.siteID])
                return Answer(.before(answer))
            }
            let books = try await ledger.open([fields.place], in: tx)
            try books.checkSite(fields.place.siteID)
            _ = try books.products([(fields.place.productID, "product_id")], mustBeActive: false)
            try books.check([.init(place: fields.place, taken: -fields.quantity, field: "quantity")])
            var words = fields.words
            words.requestID = key?.key
            let entry = Ledger.Entry(place: fields.place, quantity: fields.quantity, kind: fields.kind)
            let (ids, command) = ledger.write([entry], .init(), words)
            try await tx.run(command)
            let made = try await tx.written(StockMovement.find(ids[0], in: context.scope))
            try await tx.run(all: [trail.created(.stockMoved, made)] + (key.map { [$0.finish(made, in: tx)] } ?? []))
            return Answer(.now(made), createdAt: "/api/v1/stock-movements/\(made.id.lowercaseString)")
        }
    }
}

extension TenantContext {
    /// Of another site's nothing is told, be it known by its key.
    ///
    /// - Throws: `Problem` 422, as for a site that isn't there.
    func checkMaySee(_ sites: [UUID]) throws {
        guard let mine = scope.siteIDs else { return }
        guard sites.allSatisfy(mine.contains) else { throw Problem.unknown("site_id", "site") }
    }
}
