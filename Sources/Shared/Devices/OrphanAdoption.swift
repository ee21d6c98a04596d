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
        let orphans = try await lock(devices.map(\.deviceEUI).sorted(), in: tx)
        try await tx.run(insert(devices, orphans))
        guard !orphans.isEmpty else { return [:] }
        let owners = orphans.map(\.owner).sorted()
        try await makeSeries(of: owners, in: tx)
        let results = try await tx.pipeline([
            moveSamples(of: owners).erased, setOccupied(owners).erased, moveUplinks(of: owners).erased,
            forget(owners).erased,
        ])
        let moved = try results[2].rows(as: Adopted.self)
        let counts = Dictionary(moved.map { ($0.owner, Int($0.uplinks)) }, uniquingKeysWith: { first, _ in first })
        return Dictionary(
            orphans.map { ($0.deviceEUI, counts[$0.owner] ?? 0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The orphans among `deviceEUIs`, locked.
    ///
    /// The advisory lock is that of ingest's making of orphans, so none is made behind our back. Then states, in the order of
    /// owners, as ingest locks them before it decides an uplink; and only then, in statements that begin with the
    /// locks held, what is there.
    private func lock(_ deviceEUIs: [DeviceEUI], in tx: some QueryExecutor) async throws -> [Orphan] {
        try await tx.run("SELECT pg_advisory_xact_lock(7310003, \(tenant))")
        let wanted = deviceEUIs.map(\.rawValue)
        let seen = try await tx.all(orphans(wanted))
        guard !seen.isEmpty else { return [] }
        let owners = seen.map(\.owner).sorted()
        try await tx.run(
            """
            SELECT owner_id FROM device_states
             WHERE tenant_id = \(tenant) AND owner_id = ANY (\(owners)) ORDER BY owner_id FOR UPDATE
            """)
        return try await tx.all(
            """
            SELECT device_eui, owner_id FROM orphan_devices
             WHERE tenant_id = \(tenant) AND owner_id = ANY (\(owners)) ORDER BY owner_id FOR UPDATE
            """)
    }

    private func orphans(_ wanted: [String]) -> Statement<Orphan> {
        """
        SELECT device_eui, owner_id FROM orphan_devices WHERE tenant_id = \(tenant) AND device_eui = ANY (\(wanted))
        """
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

extension OrphanAdoption {
    /// Series that the kept uplinks' numbers need, within the plan's bound: those past it stay without samples, as at ingest.
    private func makeSeries(of owners: [Int32], in tx: some QueryExecutor) async throws {
        try await tx.run("INSERT INTO series_counts (tenant_id) VALUES (\(tenant)) ON CONFLICT DO NOTHING")
        let count: Int32? = try await tx.first(
            "SELECT count FROM series_counts WHERE tenant_id = \(tenant) FOR UPDATE")
        let room = max(0, plan.maxSeries - (count ?? 0))
        let made = try await tx.run(
            """
            INSERT INTO series (tenant_id, owner_id, metric, identity)
            SELECT \(tenant), w.owner_id, w.metric, \(Self.identity)
              FROM (SELECT DISTINCT u.owner_id, l.metric
                      FROM orphan_uplinks u, LATERAL jsonb_object_keys(u.leaves) AS l (metric)
                     WHERE u.tenant_id = \(tenant) AND u.owner_id = ANY (\(owners))) w
             WHERE NOT EXISTS (SELECT FROM series s
                                WHERE s.tenant_id = \(tenant) AND s.owner_id = w.owner_id AND s.identity = \(Self.identity))
             ORDER BY w.owner_id, w.metric
             LIMIT \(Int64(room))
            """)
        guard made > 0 else { return }
        try await tx.run("UPDATE series_counts SET count = count + \(Int32(made)) WHERE tenant_id = \(tenant)")
    }

    /// A series without labels: the first 16 bytes of SHA-256 over its metric's name `w.metric`.
    private static let identity: Fragment =
        "encode(substring(sha256(convert_to(w.metric, 'UTF8')) FROM 1 FOR 16), 'hex')::uuid"

    /// One row of the log for each device, its samples in the order of arrival, of which the first counts.
    private func moveSamples(of owners: [Int32]) -> Command {
        """
        INSERT INTO sample_log (tenant_id, owner_id, series, ts, value)
        SELECT \(tenant), w.owner_id, array_agg(s.id ORDER BY w.id, s.id),
               array_agg(w.ts ORDER BY w.id, s.id), array_agg(w.value ORDER BY w.id, s.id)
          FROM (SELECT u.owner_id, u.id, (extract(epoch FROM u.received_at) * 1000000)::bigint AS ts, l.metric,
                       l.value::float8 AS value
                  FROM orphan_uplinks u, LATERAL jsonb_each_text(u.leaves) AS l (metric, value)
                 WHERE u.tenant_id = \(tenant) AND u.owner_id = ANY (\(owners))) w
          JOIN series s ON s.tenant_id = \(tenant) AND s.owner_id = w.owner_id AND s.identity = \(Self.identity)
         GROUP BY w.owner_id
        """
    }

    /// Occupied or free by the newest uplink that says so, and since when all of those after it have said the same.
    private func setOccupied(_ owners: [Int32]) -> Command {
        """
        WITH said AS (
            SELECT u.owner_id, u.received_at, u.id,
                   (u.leaves ->> coalesce(p.occupied_field, 'occupied'))::float8 <> 0 AS occupied
              FROM orphan_uplinks u
              JOIN devices d ON d.tenant_id = u.tenant_id AND d.owner_id = u.owner_id
              LEFT JOIN device_profiles p ON p.tenant_id = d.tenant_id AND p.id = d.profile_id
             WHERE u.tenant_id = \(tenant) AND u.owner_id = ANY (\(owners))
               AND u.leaves ? coalesce(p.occupied_field, 'occupied')
        ), newest AS (
            SELECT DISTINCT ON (owner_id) owner_id, occupied, received_at FROM said
             ORDER BY owner_id, received_at DESC, id DESC
        )
        UPDATE device_states AS s
           SET occupied = n.occupied,
               occupied_since = coalesce(
                   (SELECT min(a.received_at) FROM said a
                     WHERE a.owner_id = n.owner_id
                       AND a.received_at > coalesce((SELECT max(o.received_at) FROM said o
                                                      WHERE o.owner_id = n.owner_id AND o.occupied <> n.occupied),
                                                    '-infinity')),
                   n.received_at)
          FROM newest n
         WHERE s.tenant_id = \(tenant) AND s.owner_id = n.owner_id
        """
    }

    private func moveUplinks(of owners: [Int32]) -> Statement<Adopted> {
        """
        WITH kept AS (
            DELETE FROM orphan_uplinks WHERE tenant_id = \(tenant) AND owner_id = ANY (\(owners)) RETURNING *
        ), moved AS (
            INSERT INTO uplinks (tenant_id, owner_id, received_at, epoch, fcnt, arrived_at, clock_used, f_port, dev_addr,
                                 session, uplink_id, rssi, snr, gateway_id, gateways, duplicates, payload, data,
                                 integration_id)
            SELECT tenant_id, owner_id, received_at, epoch, fcnt, arrived_at, clock_used, f_port, dev_addr,
                   session, uplink_id, rssi, snr, gateway_id, gateways, duplicates, payload, data, integration_id
              FROM kept
        )
        SELECT owner_id, count(*) AS uplinks FROM kept GROUP BY owner_id
        """
    }

    private func forget(_ owners: [Int32]) -> Command {
        "DELETE FROM orphan_devices WHERE tenant_id = \(tenant) AND owner_id = ANY (\(owners))"
    }
}
