import Foundation
import Hummingbird
import Postgres
import Shared

struct SeriesRoutes: Sendable {
    let database: Database
    var budget = ReadingBudget()

    func register(on api: TenantRoutes) {
        api.get("series", requires: .seriesRead, use: list)
        api.get("series/query", requires: .seriesRead, use: query)
    }

    /// By metric. Filters: those of ``SeriesFilter``.
    @Sendable private func list(
        _ request: Request, _ context: TenantContext
    ) async throws -> PageAnswer<SeriesDescription> {
        var query = QueryParameters(request)
        let filter = SeriesFilter(&query)
        try query.check()
        let page = try PageRequest<SeriesDescription.Position>(request, tenant: context.tenant.uuid)
        let series = try await database.read(
            context, filter.page(after: page.after, limit: page.fetchLimit, in: context.scope))
        return try PageAnswer(series, page, of: request, context) { $0.position }
    }

    /// Samples, or buckets of them, of every series that matches.
    @Sendable private func query(_ request: Request, _ context: TenantContext) async throws -> Response {
        var parameters = QueryParameters(request)
        let query = try SeriesQuery(&parameters, now: .now(), budget)
        let rows = try await database.read(context, query.filter.reading(query.span, in: context.scope, budget))
        try budget.check(rows)
        let lines = try query.lines(of: SeriesReading(rows, within: query.span), budget)
        return SeriesAnswer(lines: lines, buckets: query.buckets).response
    }
}
