import Foundation
import Postgres
import Shared

/// What a group writes for one tenant, gathered set-wise while its uplinks are decided.
struct UplinkWrites {
    /// One stored uplink, for `uplinks` or `orphan_uplinks` and for the keys.
    struct NewUplink {
        let owner: Int32
        let epoch: Int32
        let uplink: Uplink
        let fingerprint: UplinkFingerprint
        let arrivedAt: Timestamp
        let integrationID: UUID
    }

    struct Repetition {
        var count: Int32 = 0
        var gateways: Set<String> = []
    }

    struct RepeatedUplink: Hashable {
        let owner: Int32
        let position: DeviceHistory.Position
        let receivedAt: Timestamp
    }

    var readings: [NewUplink] = []
    var orphaned: [NewUplink] = []
    var repetitions: [RepeatedUplink: Repetition] = [:]
    var repetitionsOfOrphans: [RepeatedUplink: Repetition] = [:]
    var samples: [Int32: SampleRun] = [:]
    var states: [DeviceStateChange] = []
    var epochs: [(owner: Int32, epoch: DeviceEpoch)] = []
    var messages: [UplinkLookups.Message] = []

    var new: [NewUplink] { readings + orphaned }

    var isEmpty: Bool {
        readings.isEmpty && orphaned.isEmpty && repetitions.isEmpty && repetitionsOfOrphans.isEmpty && messages.isEmpty
    }

    /// Uplinks kept of an orphan.
    static let keptOfOrphan = 100

    /// Every statement, in an order in which all writers touch the tables.
    func statements(for tenant: TenantID) -> [AnyStatement] {
        var statements: [AnyStatement] = []
        let new = new
        if !new.isEmpty {
            let identified = new.filter { $0.fingerprint.idHash != nil }
            if !identified.isEmpty { statements.append(Self.insertIDs(identified, tenant).erased) }
            if !epochs.isEmpty { statements.append(Self.upsertEpochs(epochs, tenant).erased) }
            statements.append(DeviceStateChange.update(states, tenant).erased)
        }
        if !readings.isEmpty {
            statements.append(
                Self.insert(readings, into: "uplinks", columns: "", values: "", leaves: [], tenant).erased)
        }
        if !orphaned.isEmpty {
            let leaves = orphaned.map { JSONB($0.uplink.leavesJSON) }
            statements.append(
                Self.insert(
                    orphaned, into: "orphan_uplinks", columns: ", leaves", values: ", w.leaves", leaves: leaves, tenant
                ).erased)
            statements.append(Self.trimOrphans(Array(Set(orphaned.map(\.owner))), tenant).erased)
            statements.append(Self.updateOrphans(orphaned, tenant).erased)
        }
        if !repetitions.isEmpty { statements.append(Self.merge(repetitions, into: "uplinks", tenant).erased) }
        if !repetitionsOfOrphans.isEmpty {
            statements.append(Self.merge(repetitionsOfOrphans, into: "orphan_uplinks", tenant).erased)
        }
        if !samples.isEmpty {
            let runs = samples.sorted { $0.key < $1.key }.map { (owner: $0.key, run: $0.value) }
            statements.append(SampleRun.append(runs, of: tenant).erased)
        }
        let late = states.compactMap { state in state.late.map { (owner: state.owner, run: $0) } }
        if !late.isEmpty { statements.append(DeviceStateChange.correctRuns(late, tenant).erased) }
        if !messages.isEmpty { statements.append(Self.insertMessages(messages, tenant).erased) }
        return statements
    }
}

extension UplinkWrites {
    private static func insertIDs(_ new: [NewUplink], _ tenant: TenantID) -> Command {
        """
        INSERT INTO uplink_ids (tenant_id, owner_id, id_hash, epoch, fcnt)
        SELECT \(tenant), * FROM unnest(\(new.map(\.owner)), \(new.compactMap(\.fingerprint.idHash)),
            \(new.map(\.epoch)), \(new.map(\.fingerprint.fcnt)))
        """
    }

    private static func upsertEpochs(_ epochs: [(owner: Int32, epoch: DeviceEpoch)], _ tenant: TenantID) -> Command {
        """
        INSERT INTO device_epochs AS e (tenant_id, owner_id, epoch, reference, highest_fcnt, highest_at)
        SELECT \(tenant), * FROM unnest(\(epochs.map(\.owner)), \(epochs.map(\.epoch.epoch)),
            \(epochs.map(\.epoch.reference)), \(epochs.map(\.epoch.highestFcnt)), \(epochs.map(\.epoch.highestAt)))
        ON CONFLICT (tenant_id, owner_id, epoch)
        DO UPDATE SET highest_fcnt = excluded.highest_fcnt, highest_at = excluded.highest_at
        """
    }

    /// Keys and rows.
    /// - Parameter leaves: as many as uplinks, or none.
    private static func insert(
        _ new: [NewUplink], into table: Fragment, columns: Fragment, values: Fragment, leaves: [JSONB],
        _ tenant: TenantID
    ) -> Command {
        let uplinks = new.map(\.uplink)
        let prints = new.map(\.fingerprint)
        return """
            WITH w AS (
                SELECT *
                  FROM unnest(\(new.map(\.owner)), \(new.map(\.epoch)), \(uplinks.map(\.receivedAt)),
                       \(new.map(\.arrivedAt)), \(uplinks.map(\.clockUsed)), \(prints.map(\.fcnt)),
                       \(prints.map(\.fPort)), \(prints.map(\.payloadHash)), \(prints.map(\.networkAt)),
                       \(uplinks.map(\.devAddr)), \(uplinks.map(\.session)), \(uplinks.map(\.uplinkID)),
                       \(uplinks.map(\.rssi)), \(uplinks.map(\.snr)), \(uplinks.map(\.gatewayID)),
                       \(uplinks.map { $0.payload.map { JSONB($0) } }), \(uplinks.map(\.data)),
                       \(new.map(\.integrationID)), \(leaves))
                       AS w (owner_id, epoch, received_at, arrived_at, clock_used, fcnt, f_port, payload_hash, network_at,
                             dev_addr, session, uplink_id, rssi, snr, gateway_id, payload, data, integration_id, leaves)),
            keys AS (
                INSERT INTO uplink_keys (tenant_id, owner_id, epoch, fcnt, f_port, payload_hash, network_at, received_at)
                SELECT \(tenant), w.owner_id, w.epoch, w.fcnt, w.f_port, w.payload_hash, w.network_at, w.received_at FROM w)
            INSERT INTO \(table) (tenant_id, owner_id, epoch, received_at, arrived_at, clock_used, fcnt, f_port, dev_addr,
                session, uplink_id, rssi, snr, gateway_id, gateways, payload, data, integration_id\(columns))
            SELECT \(tenant), w.owner_id, w.epoch, w.received_at, w.arrived_at, w.clock_used, w.fcnt, w.f_port, w.dev_addr,
                   w.session, w.uplink_id, w.rssi, w.snr, w.gateway_id,
                   CASE WHEN w.gateway_id IS NULL THEN '{}' ELSE ARRAY[w.gateway_id] END,
                   w.payload, w.data, w.integration_id\(values) FROM w
            """
    }

    /// Adds the gateways that brought an uplink again; 32 are kept.
    private static func merge(
        _ repeated: [RepeatedUplink: Repetition], into table: Fragment, _ tenant: TenantID
    ) -> Command {
        let sorted = repeated.sorted { ($0.key.owner, $0.key.position.fcnt) < ($1.key.owner, $1.key.position.fcnt) }
        let keys = sorted.map(\.key)
        let gateways = sorted.map { $0.value.gateways.sorted().joined(separator: "\u{1}") }
        return """
            UPDATE \(table) AS u
               SET duplicates = u.duplicates + w.count,
                   gateways = (SELECT coalesce(array_agg(g ORDER BY g), '{}')
                                 FROM (SELECT unnest(u.gateways) UNION
                                       SELECT unnest(string_to_array(nullif(w.gateways, ''), E'\\x01')) LIMIT 32) AS m (g))
              FROM unnest(\(keys.map(\.owner)), \(keys.map(\.receivedAt)), \(keys.map(\.position.epoch)),
                   \(keys.map(\.position.fcnt)), \(sorted.map(\.value.count)), \(gateways))
                   AS w (owner_id, received_at, epoch, fcnt, count, gateways)
             WHERE u.tenant_id = \(tenant) AND u.owner_id = w.owner_id AND u.received_at = w.received_at
               AND u.epoch = w.epoch AND u.fcnt = w.fcnt
            """
    }

    private static func trimOrphans(_ owners: [Int32], _ tenant: TenantID) -> Command {
        """
        DELETE FROM orphan_uplinks AS u USING unnest(\(owners.sorted())) AS w (owner_id)
         WHERE u.tenant_id = \(tenant) AND u.owner_id = w.owner_id
           AND u.id <= (SELECT k.id FROM orphan_uplinks k WHERE k.tenant_id = \(tenant) AND k.owner_id = w.owner_id
                         ORDER BY k.id DESC OFFSET \(keptOfOrphan) LIMIT 1)
        """
    }

    /// What each orphan said last and how often, by arrival: the bounds on orphans go by our clock, since the network's may be
    /// days behind.
    private static func updateOrphans(_ orphaned: [NewUplink], _ tenant: TenantID) -> Command {
        let byOwner = Dictionary(grouping: orphaned, by: \.owner).sorted { $0.key < $1.key }
        let last = byOwner.compactMap(\.value.last)
        let counts = byOwner.map { Int64($0.value.count) }
        return """
            UPDATE orphan_devices AS o
               SET uplink_count = o.uplink_count + w.count, last_seen_at = greatest(o.last_seen_at, w.arrived_at),
                   last_payload = w.payload, last_rssi = w.rssi, last_snr = w.snr, integration_id = w.integration_id
              FROM unnest(\(last.map(\.owner)), \(counts), \(last.map(\.arrivedAt)),
                   \(last.map { $0.uplink.payload.map { JSONB($0) } }), \(last.map(\.uplink.rssi)),
                   \(last.map(\.uplink.snr)), \(last.map(\.integrationID)))
                   AS w (owner_id, count, arrived_at, payload, rssi, snr, integration_id)
             WHERE o.tenant_id = \(tenant) AND o.owner_id = w.owner_id
            """
    }

    private static func insertMessages(_ messages: [UplinkLookups.Message], _ tenant: TenantID) -> Command {
        """
        INSERT INTO webhook_messages (tenant_id, integration_id, id_hash)
        SELECT \(tenant), * FROM unnest(\(messages.map(\.integrationID)), \(messages.map(\.idHash)))
        ON CONFLICT DO NOTHING
        """
    }
}
