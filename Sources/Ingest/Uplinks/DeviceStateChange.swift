import Postgres
import Shared

/// What a group's uplinks make of a device's state. The row is locked, so it is computed here and written as it is; a late
/// reading changes nothing but the counters.
struct DeviceStateChange {
    let owner: Int32
    private var epochCount: Int32
    private var current: CurrentEpoch?
    private(set) var newestAt: Timestamp?
    private(set) var session: String?
    private(set) var battery: Double?
    private(set) var rssi: Double?
    private(set) var snr: Double?
    private(set) var occupied: Bool?
    private(set) var occupiedSince: Timestamp?
    /// Whether one of the uplinks is the newest reading so far.
    private(set) var hasNewest = false

    init(_ state: UplinkLookups.LockedState) {
        owner = state.owner
        epochCount = state.epochCount
        current = state.current
        newestAt = state.newestAt
        occupied = state.occupied
        occupiedSince = state.occupiedSince
    }

    /// With the counters where the history has them now.
    func following(_ history: DeviceHistory) -> DeviceStateChange {
        var change = self
        change.epochCount = history.epochCount
        change.current = history.current
        return change
    }

    /// Takes a stored uplink in.
    /// - Parameter occupiedField: the payload's field that tells whether the space is taken; nil for an orphan.
    mutating func apply(_ uplink: Uplink, occupiedField: String?) {
        if let newestAt, uplink.receivedAt < newestAt { return }
        newestAt = uplink.receivedAt
        session = uplink.reference
        battery = uplink.leaf("battery") ?? battery
        rssi = uplink.rssi
        snr = uplink.snr
        hasNewest = true
        guard let occupiedField, let value = uplink.leaf(occupiedField) else { return }
        if occupied != (value != 0) { occupiedSince = uplink.receivedAt }
        occupied = value != 0
    }

    static func update(_ changes: [DeviceStateChange], _ tenant: TenantID) -> Command {
        let changes = changes.sorted { $0.owner < $1.owner }
        return """
            UPDATE device_states AS s
               SET epochs = w.epochs, epoch = w.epoch, reference = w.reference, highest_fcnt = w.highest_fcnt,
                   highest_at = w.highest_at, is_restart = w.is_restart,
                   newest_at = w.newest_at, occupied = w.occupied, occupied_since = w.occupied_since,
                   session = CASE WHEN w.has_newest THEN w.session ELSE s.session END,
                   battery = coalesce(w.battery, s.battery),
                   rssi = CASE WHEN w.has_newest THEN w.rssi ELSE s.rssi END,
                   snr = CASE WHEN w.has_newest THEN w.snr ELSE s.snr END
              FROM unnest(\(changes.map(\.owner)), \(changes.map(\.epochCount)), \(changes.map(\.currentNumber)),
                   \(changes.map(\.currentReference)), \(changes.map(\.currentHighestFcnt)), \(changes.map(\.currentHighestAt)),
                   \(changes.map(\.isRestart)), \(changes.map(\.newestAt)),
                   \(changes.map(\.occupied)), \(changes.map(\.occupiedSince)), \(changes.map(\.session)),
                   \(changes.map(\.battery)), \(changes.map(\.rssi)), \(changes.map(\.snr)), \(changes.map(\.hasNewest)))
                   AS w (owner_id, epochs, epoch, reference, highest_fcnt, highest_at, is_restart,
                         newest_at, occupied, occupied_since, session, battery, rssi, snr, has_newest)
             WHERE s.tenant_id = \(tenant) AND s.owner_id = w.owner_id
            """
    }
}

/// The current epoch in columns.
extension DeviceStateChange {
    private var currentNumber: Int32? { current?.epoch.epoch }
    private var currentReference: String? { current?.epoch.reference }
    private var currentHighestFcnt: Int64? { current?.epoch.highestFcnt }
    private var currentHighestAt: Timestamp? { current?.epoch.highestAt }
    private var isRestart: Bool { current?.isRestart ?? false }
}
