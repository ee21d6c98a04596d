import Foundation
import Hummingbird
import Shared

struct DeviceProfileRoutes: Sendable {
    let database: Database

    func register(on api: TenantRoutes) {
        api.get("device-profiles", requires: .deviceProfilesRead, use: list)
        api.get("device-profiles/:id", requires: .deviceProfilesRead, use: one)
    }

    @Sendable private func list(_ request: Request, _ context: TenantContext) async throws -> PageAnswer<DeviceProfile>
    {
        let page = try PageRequest<UUID>(request, tenant: context.tenant.uuid)
        let profiles = try await database.read(
            context, DeviceProfile.page(after: page.after, limit: page.fetchLimit, in: context.scope))
        return try PageAnswer(profiles, page, of: request, context) { $0.id }
    }

    @Sendable private func one(_ request: Request, _ context: TenantContext) async throws -> Answer<DeviceProfile> {
        let id = try context.id("device profile")
        guard let profile = try await database.read(context, DeviceProfile.find(id, in: context.scope)).first
        else { throw Problem.notFound("device profile") }
        return Answer(profile)
    }
}
