import Foundation
import HTTPTypes
import Hummingbird
import Postgres
import Shared

struct DeviceProfileRoutes: Sendable {
    let database: Database

    func register(on api: TenantRoutes) {
        api.get("device-profiles", requires: .deviceProfilesRead, use: list)
        api.post("device-profiles", requires: .deviceProfilesWrite, use: create)
        api.get("device-profiles/:id", requires: .deviceProfilesRead, use: one)
        api.patch("device-profiles/:id", requires: .deviceProfilesWrite) { try await change($0, $1, replaces: false) }
        api.put("device-profiles/:id", requires: .deviceProfilesWrite) { try await change($0, $1, replaces: true) }
        api.delete("device-profiles/:id", requires: .deviceProfilesWrite, use: delete)
    }

    @Sendable private func list(_ request: Request, _ context: TenantContext) async throws -> PageAnswer<DeviceProfile>
    {
        let page = try PageRequest<UUID>(request, tenant: context.tenant.uuid)
        let profiles = try await database.read(
            context, DeviceProfile.page(after: page.after, limit: page.fetchLimit, in: context.scope))
        return try PageAnswer(profiles, page, of: request, context) { $0.id }
    }

    @Sendable private func one(_ request: Request, _ context: TenantContext) async throws -> Answer<DeviceProfile> {
        let find = DeviceProfile.find(try context.id("device profile"), in: context.scope)
        return Answer(try await database.found(context, find, "device profile"))
    }

    @Sendable private func create(_ request: Request, _ context: TenantContext) async throws -> Answer<DeviceProfile> {
        var body = try await JSONBody(request, context)
        let fields = try DeviceProfileFields(&body)
        try context.mayReachAllSites()
        let trail = AuditTrail(request, context)
        return try await database.withTenant(context) { tx in
            let profile = try await tx.written(DeviceProfile.insert(fields, into: tx.tenantID))
            try await tx.run(trail.created(.deviceProfileCreated, profile))
            return Answer(profile, createdAt: "/api/v1/device-profiles/\(profile.id.lowercaseString)")
        }
    }

    /// Its devices' states are what they say by the new reading.
    private func change(
        _ request: Request, _ context: TenantContext, replaces: Bool
    ) async throws -> Answer<DeviceProfile> {
        let id = try context.id("device profile")
        let body = try await JSONBody(request, context)
        try context.mayReachAllSites()
        let trail = AuditTrail(request, context)
        let (before, after) = try await database.withTenant(context) { tx in
            let before = try await tx.found(DeviceProfile.lock(id, in: context.scope), "device profile")
            try request.checkIfMatch(before)
            var whole = replaces ? body : body.merged(into: before)
            let fields = try DeviceProfileFields(&whole)
            let after = try await tx.written(DeviceProfile.update(id, fields, in: tx.tenantID))
            try await tx.run(trail.changed(.deviceProfileChanged, before, after))
            return (before, after)
        }
        if before.readsOtherwise(than: after) { try await refreshDevices(of: id, context) }
        return Answer(after)
    }

    private func refreshDevices(of id: UUID, _ context: TenantContext) async throws {
        let owners = try await database.read(context, DeviceProfile.devices(of: id, in: context.tenantID))
        try await OccupancyRefresh(database: database).refresh(owners, of: context)
    }

    @Sendable private func delete(_ request: Request, _ context: TenantContext) async throws -> HTTPResponse.Status {
        let id = try context.id("device profile")
        try context.mayReachAllSites()
        let trail = AuditTrail(request, context)
        try await database.withTenant(context) { tx in
            let profile = try await tx.found(DeviceProfile.lock(id, in: context.scope), "device profile")
            try request.checkIfMatch(profile)
            guard try await tx.first(DeviceProfile.isInUse(id, in: tx.tenantID)) == false else {
                throw Problem.conflict("profile_in_use", detail: "Devices have this profile.")
            }
            let commands = [
                DeviceProfile.delete(id, in: tx.tenantID), trail.deleted(.deviceProfileDeleted, profile),
            ]
            try await tx.run(all: commands)
        }
        return .noContent
    }
}
