import Foundation
import Hummingbird
import Postgres
import Shared

struct SpaceRoutes: Sendable {
    let database: Database

    func register(on api: TenantRoutes) {
        api.get("spaces", requires: .spacesRead, use: list)
        api.get("spaces/:id", requires: .spacesRead, use: one)
    }

    /// Filters: `site` (id or code), `kind`, `state`.
    @Sendable private func list(_ request: Request, _ context: TenantContext) async throws -> PageAnswer<Space> {
        var query = QueryParameters(request)
        let filter = Space.Filter(
            sites: query.references("site"), kinds: query.words("kind"), states: query.words("state"))
        try query.check()
        let page = try PageRequest<UUID>(request, tenant: context.tenant.uuid)
        let spaces = try await database.read(
            context, Space.page(filter, after: page.after, limit: page.fetchLimit, in: context.scope))
        return try PageAnswer(spaces, page, of: request, context) { $0.id }
    }

    @Sendable private func one(_ request: Request, _ context: TenantContext) async throws -> Answer<Space> {
        let id = try context.id("space")
        guard let space = try await database.read(context, Space.find(id, in: context.scope)).first
        else { throw Problem.notFound("space") }
        return Answer(space)
    }
}
