import Hummingbird
import Shared

struct TenantProfileRoutes: Sendable {
    let database: Database

    func register(on api: TenantRoutes) {
        api.get("tenants/current", requires: .tenantRead, use: current)
    }

    @Sendable private func current(_ request: Request, _ context: TenantContext) async throws -> Answer<TenantProfile> {
        guard let tenant = try await database.read(context, TenantProfile.find(context.tenantID)).first
        else { throw Problem.notFound("tenant") }
        return Answer(tenant)
    }
}
