import Foundation
import HTTPTypes
import Hummingbird
import Postgres
import Shared

struct DeviceRoutes: Sendable {
    let database: Database

    func register(on api: TenantRoutes) {
        api.get("devices", requires: .devicesRead, use: list)
        api.post("devices", requires: .devicesWrite, use: create)
        api.get("devices/:eui", requires: .devicesRead, use: one)
        api.patch("devices/:eui", requires: .devicesWrite) { try await change($0, $1, replaces: false) }
        api.put("devices/:eui", requires: .devicesWrite) { try await change($0, $1, replaces: true) }
        api.delete("devices/:eui", requires: .devicesWrite, use: delete)
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
        let find = Device.find(try context.deviceEUI("device"), in: context.scope)
        return Answer(try await database.found(context, find, "device"))
    }

    /// One that was heard before takes over what was kept of it.
    @Sendable private func create(_ request: Request, _ context: TenantContext) async throws -> Answer<Device> {
        var body = try await JSONBody(request, context)
        let eui = body.required("device_eui") { $0.deviceEUI($1) }
        let fields = try DeviceFields(&body, of: nil)
        guard let eui else { throw Problem.internal("an EUI that is required was not read") }
        let registration = DeviceRegistration(context: context, trail: AuditTrail(request, context))
        return try await Problem.refusedDevice {
            try await database.withTenant(context) { tx in
                let registered = try await registration.register(eui, fields, in: tx)
                return Answer(registered.device, createdAt: "/api/v1/devices/\(eui)")
            }
        }
    }

    /// Places are locked before devices, as by whoever deletes one.
    private func change(
        _ request: Request, _ context: TenantContext, replaces: Bool
    ) async throws -> Answer<Device> {
        let eui = try context.deviceEUI("device")
        let body = try await JSONBody(request, context)
        let trail = AuditTrail(request, context)
        let wish = { @Sendable (device: Device) in
            try request.checkIfMatch(device)
            var whole = replaces ? body : body.merged(into: device, without: body.leaving(device))
            return try DeviceFields(&whole, of: eui)
        }
        return try await Problem.refusedDevice {
            try await database.withTenant(context) { tx in
                let hoped = try wish(try await tx.found(Device.find(eui, in: context.scope), "device"))
                let placement = try await DevicePlacement(hoped, context, in: tx)
                let before = try await Device.locked(eui, context, in: tx)
                let fields = try wish(before)
                guard fields.names(hoped) else { throw Problem.changedMeanwhile }
                let owner = try await tx.written(Device.update(before.id, fields, placement, in: tx.tenantID))
                if before.profileID != placement.profileID {
                    try await tx.run("SELECT refresh_occupancy(\([owner]))")
                }
                let after = try await tx.written(Device.find(eui, in: context.scope))
                try await tx.run(trail.changed(.deviceChanged, before, after))
                return Answer(after)
            }
        }
    }

    /// What it said stays; if it goes on talking it is an orphan.
    @Sendable private func delete(_ request: Request, _ context: TenantContext) async throws -> HTTPResponse.Status {
        let eui = try context.deviceEUI("device")
        let trail = AuditTrail(request, context)
        try await database.withTenant(context) { tx in
            let device = try await Device.locked(eui, context, in: tx)
            try request.checkIfMatch(device)
            try await tx.run(all: [Device.delete(device.id, in: tx.tenantID), trail.deleted(.deviceDeleted, device)])
        }
        return .noContent
    }

    /// Newest first, within half-open `from` and `to`: without them, everything.
    @Sendable private func readings(_ request: Request, _ context: TenantContext) async throws -> PageAnswer<Reading> {
        let eui = try context.deviceEUI("device")
        var query = QueryParameters(request)
        let span = query.openSpan("from", "to")
        try query.check()
        let page = try PageRequest<Reading.Position>(request, tenant: context.tenant.uuid)
        let rows = try await database.read(
            context, Reading.page(of: eui, span, before: page.after, limit: page.fetchLimit, in: context.scope))
        guard !rows.isEmpty else { throw Problem.notFound("device") }
        return try PageAnswer(rows.compactMap(\.reading), page, of: request, context) { $0.position }
    }
}

extension Device {
    /// - Throws: `Problem` 404.
    fileprivate static func locked(
        _ eui: DeviceEUI, _ context: TenantContext, in tx: TenantTransaction
    ) async throws -> Device {
        _ = try await tx.found(lock(eui, in: context.scope), "device")
        return try await tx.written(find(eui, in: context.scope))
    }
}

extension JSONBody {
    /// What a device leaves by this patch without saying so: its site, where it goes into a space; its space, where it goes to another
    /// site.
    fileprivate func leaving(_ device: Device) -> [String] {
        if has("space_id") { return has("site_id") ? [] : peek("space_id") == nil ? [] : ["site_id"] }
        return has("site_id") && peek("site_id") != device.siteID ? ["space_id"] : []
    }
}
