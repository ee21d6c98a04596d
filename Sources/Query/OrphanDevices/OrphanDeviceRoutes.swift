import Foundation
import HTTPTypes
import Hummingbird
import Postgres
import Shared

struct OrphanDeviceRoutes: Sendable {
    let database: Database

    func register(on api: TenantRoutes) {
        api.get("orphan-devices", requires: .orphanDevicesRead, use: list)
        api.get("orphan-devices/:eui", requires: .orphanDevicesRead, use: one)
        api.post("orphan-devices/:eui/claim", requires: .orphanDevicesClaim, use: claim)
        api.delete("orphan-devices/:eui", requires: .orphanDevicesClaim, use: ignore)
        api.post("orphan-devices/:eui/unignore", requires: .orphanDevicesClaim, use: unignore)
    }

    /// Filter: `ignored=true` for those that were told to be ignored.
    @Sendable private func list(_ request: Request, _ context: TenantContext) async throws -> PageAnswer<OrphanDevice> {
        var query = QueryParameters(request)
        let ignored = query.flag("ignored")
        try query.check()
        let page = try PageRequest<UUID>(request, tenant: context.tenant.uuid)
        let orphans = try await database.read(
            context, OrphanDevice.page(ignored: ignored, after: page.after, limit: page.fetchLimit, in: context.scope))
        return try PageAnswer(orphans, page, of: request, context) { $0.id }
    }

    @Sendable private func one(_ request: Request, _ context: TenantContext) async throws -> Answer<OrphanDevice> {
        let find = OrphanDevice.find(try context.deviceEUI("orphan device"), in: context.scope)
        return Answer(try await database.found(context, find, "orphan device"))
    }

    /// Makes the device, whose readings what was kept becomes. Claiming it again the same way changes nothing.
    @Sendable private func claim(_ request: Request, _ context: TenantContext) async throws -> Answer<AdoptedDevice> {
        let eui = try context.deviceEUI("orphan device")
        var body = try await JSONBody(request, context)
        let fields = try DeviceFields(&body, of: eui)
        let registration = DeviceRegistration(context: context, trail: AuditTrail(request, context))
        do {
            return try await Problem.refusedDevice {
                try await database.withTenant(context) { tx in
                    guard try await tx.first(OrphanDevice.exists(eui, in: tx.tenantID)) == true else {
                        return Answer(try await claimedBefore(eui, fields, context, in: tx))
                    }
                    return Answer(try await registration.register(eui, fields, in: tx))
                }
            }
        } catch let problem as Problem where problem.code == "device_exists" {
            // Somebody else was quicker.
            return try await database.withTenant(context) { tx in
                Answer(try await claimedBefore(eui, fields, context, in: tx))
            }
        }
    }

    /// - Throws: `Problem` 404 for a device that nobody registered either, 409 for one that was claimed as something else.
    private func claimedBefore(
        _ eui: DeviceEUI, _ fields: DeviceFields, _ context: TenantContext, in tx: TenantTransaction
    ) async throws -> AdoptedDevice {
        let device = try await tx.found(Device.find(eui, in: context.scope), "orphan device")
        guard device.name == fields.name, device.profileID == fields.profileID, device.spaceID == fields.spaceID,
            fields.siteID == nil || fields.siteID == device.siteID
        else { throw Problem.conflict("already_claimed", detail: "The device was claimed as something else.") }
        return AdoptedDevice(device: device, adopted: 0)
    }

    /// Nothing more of what it says is kept, until somebody says otherwise.
    @Sendable private func ignore(_ request: Request, _ context: TenantContext) async throws -> HTTPResponse.Status {
        _ = try await set(ignored: true, .orphanIgnored, request, context)
        return .noContent
    }

    @Sendable private func unignore(_ request: Request, _ context: TenantContext) async throws -> Answer<OrphanDevice> {
        Answer(try await set(ignored: false, .orphanUnignored, request, context))
    }

    private func set(
        ignored: Bool, _ action: AuditEntry.Action, _ request: Request, _ context: TenantContext
    ) async throws -> OrphanDevice {
        let eui = try context.deviceEUI("orphan device")
        let trail = AuditTrail(request, context)
        return try await database.withTenant(context) { tx in
            let orphan = try await tx.found(OrphanDevice.ignore(eui, ignored, in: tx.tenantID), "orphan device")
            try await tx.run(trail.created(action, orphan))
            return orphan
        }
    }
}
