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
    /// Of the newest reading that said so.
    private(set) var occupiedAt: Timestamp?
    private(set) var occupiedSince: Timestamp?
    /// Where a late reading moved the moment since when the space is what it is: then its samples say.
    private(set) var late: LateReading?

    struct LateReading {
        let reading: UplinkOwner.Reading
        /// By which the run may have begun.
        var from: Timestamp
    }

    /// Whether one of the uplinks is the newest reading so far.
    private(set) var hasNewest = false

    init(_ state: UplinkLookups.LockedState) {
        owner = state.owner
        epochCount = state.epochCount
        current = state.current
        newestAt = state.newestAt
        occupied = state.occupied
        occupiedAt = state.occupiedAt
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
    /// - Parameter reading: nil for an orphan.
    mutating func apply(_ uplink: Uplink, read reading: UplinkOwner.Reading?) {
        if let reading, let value = uplink.leaf(reading.occupiedField) {
            tell(value != 0, at: uplink.receivedAt, reading)
        }
        if let newestAt, uplink.receivedAt < newestAt { return }
        newestAt = uplink.receivedAt
        session = uplink.reference
        battery = uplink.leaf("battery") ?? battery
        rssi = uplink.rssi
        snr = uplink.snr
        hasNewest = true
    }

    /// A run goes on while readings say the same and none is missing. Of two readings of one moment the first counts, as of samples.
    private mutating func tell(_ isOccupied: Bool, at time: Timestamp, _ reading: UplinkOwner.Reading) {
        if let occupiedAt, let since = occupiedSince, time <= occupiedAt {
            // It cuts the run, or belongs to it; any other late one changes nothing.
            let cuts = isOccupied != occupied && time > since && time < occupiedAt
            let extends =
                isOccupied == occupied && time < since && since <= time.adding(seconds: reading.expectedInterval)
            if cuts || extends { late = LateReading(reading: reading, from: min(late?.from ?? time, time)) }
            return
        }
        let goesOn = occupiedAt.map { time <= $0.adding(seconds: reading.expectedInterval) } ?? false
        if occupied != isOccupied || !goesOn { occupiedSince = time }
        (occupied, occupiedAt) = (isOccupied, time)
    }

    static func update(_ changes: [DeviceStateChange], _ tenant: TenantID) -> Command {
        let changes = changes.sorted { $0.owner < $1.owner }
        return """
            UPDATE device_states AS s
               SET epochs = w.epochs, epoch = w.epoch, reference = w.reference, highest_fcnt = w.highest_fcnt,
                   highest_at = w.highest_at, is_restart = w.is_restart,
                   newest_at = w.newest_at, occupied = w.occupied, occupied_at = w.occupied_at, occupied_since = w.occupied_since,
                   session = CASE WHEN w.has_newest THEN w.session ELSE s.session END,
                   battery = coalesce(w.battery, s.battery),
                   rssi = CASE WHEN w.has_newest THEN w.rssi ELSE s.rssi END,
                   snr = CASE WHEN w.has_newest THEN w.snr ELSE s.snr END
              FROM unnest(\(changes.map(\.owner)), \(changes.map(\.epochCount)), \(changes.map(\.currentNumber)),
                   \(changes.map(\.currentReference)), \(changes.map(\.currentHighestFcnt)), \(changes.map(\.currentHighestAt)),
                   \(changes.map(\.isRestart)), \(changes.map(\.newestAt)),
                   \(changes.map(\.occupied)), \(changes.map(\.occupiedAt)), \(changes.map(\.occupiedSince)), \(changes.map(\.session)),
                   \(changes.map(\.battery)), \(changes.map(\.rssi)), \(changes.map(\.snr)), \(changes.map(\.hasNewest)))
                   AS w (owner_id, epochs, epoch, reference, highest_fcnt, highest_at, is_restart,
                         newest_at, occupied, occupied_at, occupied_since, session, battery, rssi, snr, has_newest)
             WHERE s.tenant_id = \(tenant) AND s.owner_id = w.owner_id
            """
    }
}

extension DeviceStateChange {
    /// Since when these spaces are what they are, by the samples of their devices; to be run when the group's are in.
    static func correctRuns(_ late: [(owner: Int32, run: LateReading)], _ tenant: TenantID) -> Command {
        """
        UPDATE device_states AS s SET occupied_since = n.since
          FROM unnest(\(late.map(\.owner)), \(late.map(\.run.reading.occupiedField)), \(late.map(\.run.reading.expectedInterval)),
                   \(late.map(\.run.from))) AS w (owner_id, field, expected_interval, look_from),
               LATERAL newest_occupancy(w.owner_id, w.field, w.expected_interval, w.look_from) n
         WHERE s.tenant_id = \(tenant) AND s.owner_id = w.owner_id AND n.at = s.occupied_at AND n.occupied = s.occupied
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
