import Foundation
import Hummingbird
import Shared

struct OrphanDeviceRoutes: Sendable {
    let database: Database

    func register(on api: TenantRoutes) {
        api.get("orphan-devices", requires: .orphanDevicesRead, use: list)
        api.get("orphan-devices/:eui", requires: .orphanDevicesRead, use: one)
    }

    @Sendable private func list(_ request: Request, _ context: TenantContext) async throws -> PageAnswer<OrphanDevice> {
        let page = try PageRequest<UUID>(request, tenant: context.tenant.uuid)
        let orphans = try await database.read(
            context, OrphanDevice.page(after: page.after, limit: page.fetchLimit, in: context.scope))
        return try PageAnswer(orphans, page, of: request, context) { $0.id }
    }

    @Sendable private func one(_ request: Request, _ context: TenantContext) async throws -> Answer<OrphanDevice> {
        let eui = try context.deviceEUI("orphan device")
        guard let orphan = try await database.read(context, OrphanDevice.find(eui, in: context.scope)).first
        else { throw Problem.notFound("orphan device") }
        return Answer(orphan)
    }
}
