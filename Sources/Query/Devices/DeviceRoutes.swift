import Foundation
import Hummingbird
import Postgres
import Shared

struct DeviceRoutes: Sendable {
    let database: Database

    func register(on api: TenantRoutes) {
        api.get("devices", requires: .devicesRead, use: list)
        api.get("devices/:eui", requires: .devicesRead, use: one)
        api.get("devices/:eui/readings", requires: .devicesRead, use: readings)
    }

    /// Filters: `site` and `space` (id or code), `profile_id`.
    @Sendable private func list(_ request: Request, _ context: TenantContext) async throws -> PageAnswer<Device> {
        var query = QueryParameters(request)
        let filter = Device.Filter(
            sites: query.references("site"), spaces: query.references("space"), profiles: query.ids("profile_id"))
        try query.check()
        let page = try PageRequest<UUID>(request, tenant: context.tenant.uuid)
        let devices = try await database.read(
            context, Device.page(filter, after: page.after, limit: page.fetchLimit, in: context.scope))
        return try PageAnswer(devices, page, of: request, context) { $0.id }
    }

    @Sendable private func one(_ request: Request, _ context: TenantContext) async throws -> Answer<Device> {
        let eui = try context.deviceEUI("device")
        guard let device = try await database.read(context, Device.find(eui, in: context.scope)).first
        else { throw Problem.notFound("device") }
        return Answer(device)
    }

    /// Newest first, within half-open `from` and `to`: without them, everything.
    @Sendable private func readings(_ request: Request, _ context: TenantContext) async throws -> PageAnswer<Reading> {
        let eui = try context.deviceEUI("device")
        var query = QueryParameters(request)
        let from = query.time("from") ?? Timestamp.rfc3339Range.lowerBound
        let to = query.time("to") ?? Timestamp.rfc3339Range.upperBound
        if from >= to { query.refuse("from", "empty_span", "Must be before to.") }
        let span = from..<max(from, to)
        try query.check()
        let page = try PageRequest<Reading.Position>(request, tenant: context.tenant.uuid)
        let rows = try await database.read(
            context, Reading.page(of: eui, span, before: page.after, limit: page.fetchLimit, in: context.scope))
        guard !rows.isEmpty else { throw Problem.notFound("device") }
        return try PageAnswer(rows.compactMap(\.reading), page, of: request, context) { $0.position }
    }
}
