import Foundation
import Postgres
import Shared

/// What a group reads of one tenant's devices before it decides. The lock comes first and alone: a statement that waits for
/// a lock returns the new row but looks up everything else as of before the wait.
enum UplinkLookups {
    struct LockedState: RowDecodable {
        let owner: Int32
        let epochCount: Int32
        let newestAt: Timestamp?
        let occupied: Bool?
        let occupiedAt, occupiedSince: Timestamp?
        /// Nil before the first uplink, and for a device of before this was kept.
        let current: CurrentEpoch?

        init(_ row: Row) throws {
            owner = try row["owner_id"]
            epochCount = try row["epochs"]
            let epoch: Int32? = try row["epoch"]
            current = try epoch.map {
                CurrentEpoch(
                    epoch: DeviceEpoch(
                        epoch: $0, reference: try row["reference"], highestFcnt: try row["highest_fcnt"],
                        highestAt: try row["highest_at"]),
                    isRestart: try row["is_restart"])
            }
            newestAt = try row["newest_at"]
            occupied = try row["occupied"]
            occupiedAt = try row["occupied_at"]
            occupiedSince = try row["occupied_since"]
        }
    }

    struct OwnedEpoch: RowDecodable {
        let owner: Int32
        let epoch: DeviceEpoch

        init(_ row: Row) throws {
            owner = try row["owner_id"]
            epoch = DeviceEpoch(
                epoch: try row["epoch"], reference: try row["reference"], highestFcnt: try row["highest_fcnt"],
                highestAt: try row["highest_at"])
        }
    }

    struct OwnedKey: RowDecodable {
        let owner: Int32
        let key: UplinkKey

        init(_ row: Row) throws {
            owner = try row["owner_id"]
            key = UplinkKey(
                epoch: try row["epoch"], fcnt: try row["fcnt"], fPort: try row["f_port"],
                payloadHash: try row["payload_hash"], networkAt: try row["network_at"],
                receivedAt: try row["received_at"])
        }
    }

    struct OwnedID: RowDecodable {
        let idHash: UUID
        let owned: OwnedKey

        init(_ row: Row) throws {
            idHash = try row["id_hash"]
            owned = try OwnedKey(row)
        }
    }

    struct Message: RowDecodable, Hashable {
        let integrationID: UUID
        let idHash: UUID

        init(integrationID: UUID, idHash: UUID) {
            self.integrationID = integrationID
            self.idHash = idHash
        }

        init(_ row: Row) throws {
            self.init(integrationID: try row["integration_id"], idHash: try row["id_hash"])
        }
    }

    static func lock(_ owners: [Int32], of tenant: TenantID) -> Statement<LockedState> {
        """
        SELECT owner_id, epochs, epoch, reference, highest_fcnt, highest_at, is_restart, newest_at, occupied, occupied_at,
               occupied_since
          FROM device_states
         WHERE tenant_id = \(tenant) AND owner_id = ANY (\(owners)) ORDER BY owner_id FOR NO KEY UPDATE
        """
    }

    static func owners(_ owners: [Int32], of tenant: TenantID) -> Statement<UplinkOwner> {
        """
        SELECT w.owner_id, coalesce(p.occupied_field, 'occupied') AS occupied_field,
               coalesce(p.expected_interval_s, 3600) AS expected_interval_s, false AS is_ignored
          FROM unnest(\(owners)) AS w (owner_id),
               LATERAL (SELECT * FROM devices d
                         WHERE d.tenant_id = \(tenant) AND d.owner_id = w.owner_id AND d.deleted_at IS NULL LIMIT 1) d
               LEFT JOIN LATERAL (SELECT * FROM device_profiles p
                                   WHERE p.tenant_id = d.tenant_id AND p.id = d.profile_id LIMIT 1) p ON true
        UNION ALL
        SELECT w.owner_id, NULL, NULL, o.ignored_at IS NOT NULL
          FROM unnest(\(owners)) AS w (owner_id),
               LATERAL (SELECT * FROM orphan_devices o
                         WHERE o.tenant_id = \(tenant) AND o.owner_id = w.owner_id LIMIT 1) o
        """
    }

    /// The recent epochs of each session reference that the group's uplinks name.
    static func epochs(_ owners: [Int32], _ references: [String], of tenant: TenantID) -> Statement<OwnedEpoch> {
        """
        SELECT e.owner_id, e.epoch, e.reference, e.highest_fcnt, e.highest_at
          FROM (SELECT DISTINCT * FROM unnest(\(owners), \(references))) AS w (owner_id, reference),
               LATERAL (SELECT * FROM device_epochs e
                         WHERE e.tenant_id = \(tenant) AND e.owner_id = w.owner_id AND e.reference = w.reference
                         ORDER BY e.epoch DESC LIMIT \(DeviceHistory.epochsSearched)) e
        """
    }

    /// The keys under the group's counters in those epochs. The LIMIT keeps the planner from looking for a counter in every epoch
    /// that the device ever had.
    static func keys(
        _ owners: [Int32], _ references: [String], _ fcnts: [Int64], of tenant: TenantID
    ) -> Statement<OwnedKey> {
        """
        SELECT k.owner_id, k.epoch, k.fcnt, k.f_port, k.payload_hash, k.network_at, k.received_at
          FROM unnest(\(owners), \(references), \(fcnts)) AS w (owner_id, reference, fcnt),
               LATERAL (SELECT e.epoch FROM device_epochs e
                         WHERE e.tenant_id = \(tenant) AND e.owner_id = w.owner_id AND e.reference = w.reference
                         ORDER BY e.epoch DESC LIMIT \(DeviceHistory.epochsSearched)) e,
               LATERAL (SELECT * FROM uplink_keys k
                         WHERE k.tenant_id = \(tenant) AND k.owner_id = w.owner_id AND k.epoch = e.epoch
                           AND k.fcnt = w.fcnt LIMIT 1) k
        """
    }

    static func ids(_ owners: [Int32], _ idHashes: [UUID], of tenant: TenantID) -> Statement<OwnedID> {
        """
        SELECT i.id_hash, k.owner_id, k.epoch, k.fcnt, k.f_port, k.payload_hash, k.network_at, k.received_at
          FROM unnest(\(owners), \(idHashes)) AS w (owner_id, id_hash),
               LATERAL (SELECT * FROM uplink_ids i
                         WHERE i.tenant_id = \(tenant) AND i.owner_id = w.owner_id AND i.id_hash = w.id_hash LIMIT 1) i,
               LATERAL (SELECT * FROM uplink_keys k
                         WHERE k.tenant_id = \(tenant) AND k.owner_id = i.owner_id AND k.epoch = i.epoch
                           AND k.fcnt = i.fcnt LIMIT 1) k
        """
    }

    /// How many of these very uplinks are stored.
    static func count(of new: [UplinkWrites.NewUplink], _ tenant: TenantID) -> Statement<Int64> {
        """
        SELECT count(*)
          FROM unnest(\(new.map(\.owner)), \(new.map(\.epoch)), \(new.map(\.fingerprint.fcnt)),
                      \(new.map(\.fingerprint.payloadHash)), \(new.map(\.uplink.receivedAt)))
               AS w (owner_id, epoch, fcnt, payload_hash, received_at),
               LATERAL (SELECT FROM uplink_keys k
                         WHERE k.tenant_id = \(tenant) AND k.owner_id = w.owner_id AND k.epoch = w.epoch
                           AND k.fcnt = w.fcnt AND k.payload_hash = w.payload_hash AND k.received_at = w.received_at
                         LIMIT 1) k
        """
    }

    static func messages(_ messages: [Message], of tenant: TenantID) -> Statement<Message> {
        let (integrations, hashes) = (messages.map(\.integrationID), messages.map(\.idHash))
        return """
            SELECT m.integration_id, m.id_hash
              FROM unnest(\(integrations), \(hashes)) AS w (integration_id, id_hash),
                   LATERAL (SELECT * FROM webhook_messages m
                             WHERE m.tenant_id = \(tenant) AND m.integration_id = w.integration_id
                               AND m.id_hash = w.id_hash) m
            """
    }
}

extension UplinkOwner: RowDecodable {
    init(_ row: Row) throws {
        id = try row["owner_id"]
        if let occupiedField: String = try row["occupied_field"] {
            let reading = Reading(occupiedField: occupiedField, expectedInterval: try row["expected_interval_s"])
            kind = .device(reading)
        } else {
            kind = .orphan(isIgnored: try row["is_ignored"])
        }
    }
}
