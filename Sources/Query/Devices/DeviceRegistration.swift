import Foundation
import Postgres
import Shared

/// Registers one device, whether it was heard before or not.
struct DeviceRegistration: Sendable {
    let context: TenantContext
    let trail: AuditTrail

    /// - Throws: `Problem` 409 where the EUI or the space is taken, 422.
    func register(_ eui: DeviceEUI, _ fields: DeviceFields, in tx: TenantTransaction) async throws -> AdoptedDevice {
        let placement = try await DevicePlacement(fields, context, in: tx)
        let new = NewDevice(
            deviceEUI: eui, name: fields.name, profileID: placement.profileID, siteID: placement.siteID,
            spaceID: placement.spaceID, metadata: fields.metadata)
        let adopted = try await OrphanAdoption(tenant: context.tenant).register([new], in: tx)
        let device = try await tx.written(Device.find(eui, in: context.scope))
        try await tx.run(trail.created(.deviceCreated, device))
        return AdoptedDevice(device: device, adopted: adopted[eui] ?? 0)
    }
}

extension Problem {
    /// What the constraints of devices mean to a client.
    static func refusedDevice<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let error where error.postgresError?.constraint == "devices_eui" {
            throw Problem.conflict("device_exists", detail: "There is a device with this EUI already.")
        } catch let error where error.postgresError?.constraint == "devices_space" {
            throw Problem.conflict("space_taken", detail: "The space has another device.")
        }
    }
}
