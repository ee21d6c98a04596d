import Foundation
import Postgres

/// Registers devices. What was kept of those that the tenant already heard as orphans becomes their readings, once, in the
/// caller's transaction: a device takes over its orphan's owner id, and with it frame counters, epochs and dedupe keys.
package struct OrphanAdoption: Sendable {
    private struct Orphan: RowDecodable {
        let deviceEUI: DeviceEUI
        let owner: Int32

        init(_ row: Row) throws {
            deviceEUI = try row["device_eui"]
            owner = try row["owner_id"]
        }
    }

    private struct Adopted: RowDecodable {
        let owner: Int32
        let uplinks: Int64

        init(_ row: Row) throws {
            owner = try row["owner_id"]
            uplinks = try row["uplinks"]
        }
    }

    private let tenant: TenantID
    private let plan: Plan

    /// - Parameter plan: bounds the series that adopted readings may make.
    package init(tenant: Tenant) {
        self.tenant = tenant.id
        plan = tenant.plan
    }

    /// Registers new devices, in a transaction of their tenant that has touched no device state yet.
    ///
    /// - Returns: how many kept uplinks became readings, for each device that was an orphan.
    /// - Throws: `PostgresError` with the constraint `devices_eui` when one is registered already, `devices_space` when its
    ///   space has a device.
    package func register(_ devices: [NewDevice], in tx: some QueryExecutor) async throws -> [DeviceEUI: Int] {
        guard !devices.isEmpty else { return [:] }
        let orphans = try await tx.all(lock(devices.map(\.deviceEUI.rawValue).sorted()))
        try await tx.run(insert(devices, orphans))
        guard !orphans.isEmpty else { return [:] }
        let adopted = try await tx.all(adopt(orphans.map(\.owner)))
        let counts = Dictionary(adopted.map { ($0.owner, Int($0.uplinks)) }, uniquingKeysWith: { first, _ in first })
        return Dictionary(
            orphans.map { ($0.deviceEUI, counts[$0.owner] ?? 0) }, uniquingKeysWith: { first, _ in first })
    }

    private func lock(_ deviceEUIs: [String]) -> Statement<Orphan> {
        "SELECT device_eui, owner_id FROM lock_orphans(\(deviceEUIs))"
    }

    private func adopt(_ owners: [Int32]) -> Statement<Adopted> {
        "SELECT owner_id, uplinks FROM adopt_orphans(\(owners), \(plan.maxSeries))"
    }

    private func insert(_ devices: [NewDevice], _ orphans: [Orphan]) -> Command {
        let owners = Dictionary(orphans.map { ($0.deviceEUI, $0.owner) }, uniquingKeysWith: { first, _ in first })
        return """
            INSERT INTO devices (tenant_id, id, owner_id, device_eui, name, profile_id, site_id, space_id, metadata)
            SELECT \(tenant), w.id, coalesce(w.owner_id, nextval('owner_ids')::int), w.device_eui, w.name, w.profile_id,
                   w.site_id, w.space_id, w.metadata
              FROM unnest(\(devices.map(\.id)), \(devices.map { owners[$0.deviceEUI] }),
                   \(devices.map(\.deviceEUI.rawValue)), \(devices.map(\.name)), \(devices.map(\.profileID)),
                   \(devices.map(\.siteID)), \(devices.map(\.spaceID)), \(devices.map(\.metadata)))
                   AS w (id, owner_id, device_eui, name, profile_id, site_id, space_id, metadata)
            """
    }
}
