import Algorithms
import Foundation
import Postgres

/// What tells an uplink from another of its device (see `DeviceHistory`).
struct UplinkFingerprint: Hashable, Sendable {
    /// The session's reference: `session`, else `dev_addr`, else empty.
    let reference: String
    let fcnt: Int64
    let fPort: Int16?
    /// First 16 bytes of SHA-256 over `data`, else over the canonical JSON of `payload`.
    let payloadHash: UUID
    /// As the network gave it; nil where it gave none that can be believed.
    let networkAt: Timestamp?
    /// Hash of the network server's id for the uplink.
    let idHash: UUID?
}

/// What the database keeps of a stored uplink, enough to recognise it.
struct UplinkKey: Hashable, Sendable {
    let epoch: Int32
    let fcnt: Int64
    let fPort: Int16?
    let payloadHash: UUID
    let networkAt: Timestamp?
    /// Time of the reading, by which its row is found.
    let receivedAt: Timestamp
}

/// One life of a device's frame counter.
struct DeviceEpoch: Hashable, Sendable {
    let epoch: Int32
    let reference: String
    var highestFcnt: Int64
    var highestAt: Timestamp?
}

/// The epoch that a device is in, kept with its state: the usual uplink, whose counter is above all before, needs no other.
struct CurrentEpoch: Hashable, Sendable {
    let epoch: DeviceEpoch
    /// The reference had epochs before this one, and an uplink may repeat one of theirs.
    let isRestart: Bool

    /// Whether neither earlier epochs nor stored keys could make the uplink anything but the next of this epoch.
    func isSurelyContinued(by uplink: UplinkFingerprint) -> Bool {
        !isRestart && uplink.reference == epoch.reference && uplink.fcnt > epoch.highestFcnt
    }
}

/// A device's counters as far as they matter to some uplinks, and the decision what each uplink is: a pure state machine.
///
/// A LoRaWAN counter restarts at 0 when a device joins anew, and some devices restart it without a join. So an uplink is
/// one by (device, epoch, fcnt), and an uplink whose counter cannot belong to the epoch opens the next one:
/// 1. a session reference never seen for the device opens an epoch;
/// 2. an uplink id that the device had before, or a counter that is there with the same port, payload and (within an
///    hour) time, is a duplicate; a counter that is there with anything else means that the device restarted;
/// 3. a counter below the highest is late, unless it comes over ten minutes after the highest: then, too, it restarted.
/// A reference that comes back after another goes on with its own newest epoch.
struct DeviceHistory: Sendable {
    /// Retransmissions and repeated deliveries come within this, in microseconds.
    static let duplicateWindow: Int64 = 3_600_000_000
    /// A lower counter this much later than the highest, in microseconds, is no straggler.
    static let lateWindow: Int64 = 600_000_000
    /// Epochs of one reference that are searched for a duplicate, the newest first.
    static let epochsSearched = 8

    enum Decision: Hashable, Sendable {
        case new(epoch: Int32)
        case duplicate(of: Position)
    }

    struct Position: Hashable, Sendable {
        let epoch: Int32
        let fcnt: Int64
    }

    /// Epochs allocated so far, which is the number of the next.
    private(set) var epochCount: Int32
    /// By reference, oldest first; the last of each is the one that goes on.
    private var epochs: [String: [DeviceEpoch]] = [:]
    private var keys: [Position: UplinkKey] = [:]
    private var ids: [UUID: Position] = [:]
    /// The epoch in which the highest counter moved last.
    private(set) var current: CurrentEpoch?
    /// Epochs that were opened, or whose highest counter moved before another became the current one.
    private var toBeWritten: [Int32: DeviceEpoch] = [:]

    /// - Parameters:
    ///   - current: what stands in the device's state; for this epoch it is newer than what `epochs` say, unless those know a higher
    ///     counter.
    ///   - epochs: the recent epochs of every reference that will be asked about, unless the current epoch
    ///     ``CurrentEpoch/isSurelyContinued(by:)`` the uplinks.
    ///   - keys: the keys stored in those epochs under the counters that will be asked about.
    ///   - ids: where the uplink ids that will be asked about were seen.
    init(epochCount: Int32, current: CurrentEpoch?, epochs: [DeviceEpoch], keys: [UplinkKey], ids: [UUID: Position]) {
        self.epochCount = epochCount
        let (same, others) = epochs.partitioned { $0.epoch != current?.epoch.epoch }
        let ahead = same.first { $0.highestFcnt > current?.epoch.highestFcnt ?? .max }
        self.current = current.map { CurrentEpoch(epoch: ahead ?? $0.epoch, isRestart: $0.isRestart) }
        for epoch in (others + [self.current?.epoch].compacted()).sorted(by: { $0.epoch < $1.epoch }) {
            self.epochs[epoch.reference, default: []].append(epoch)
        }
        for key in keys { self.keys[Position(epoch: key.epoch, fcnt: key.fcnt)] = key }
        self.ids = ids
    }

    /// Epochs to write; the highest counter of the current one is written with the device's state.
    var changedEpochs: [DeviceEpoch] { Array(toBeWritten.values) }

    func key(at position: Position) -> UplinkKey? {
        keys[position]
    }

    /// Decides one uplink and remembers it; uplinks of a device are decided in order of arrival.
    mutating func decide(_ uplink: UplinkFingerprint, receivedAt: Timestamp) -> Decision {
        if let idHash = uplink.idHash, let position = ids[idHash] {
            return .duplicate(of: position)
        }
        guard let known = epochs[uplink.reference], let current = known.last else {
            return open(for: uplink, receivedAt)
        }
        for epoch in known.suffix(Self.epochsSearched).reversed() {
            let position = Position(epoch: epoch.epoch, fcnt: uplink.fcnt)
            if let key = keys[position], Self.isRepetition(uplink, of: key) {
                if let idHash = uplink.idHash { ids[idHash] = position }
                return .duplicate(of: position)
            }
        }
        if keys[Position(epoch: current.epoch, fcnt: uplink.fcnt)] != nil || Self.hasRestarted(uplink, after: current) {
            return open(for: uplink, receivedAt)
        }
        return store(uplink, in: current, receivedAt)
    }

    private static func isRepetition(_ uplink: UplinkFingerprint, of key: UplinkKey) -> Bool {
        guard uplink.fPort == key.fPort, uplink.payloadHash == key.payloadHash else { return false }
        guard let now = uplink.networkAt, let then = key.networkAt else { return true }
        return abs(now.microseconds - then.microseconds) <= duplicateWindow
    }

    private static func hasRestarted(_ uplink: UplinkFingerprint, after epoch: DeviceEpoch) -> Bool {
        guard uplink.fcnt < epoch.highestFcnt, let now = uplink.networkAt, let then = epoch.highestAt else {
            return false
        }
        return now.microseconds - then.microseconds > lateWindow
    }

    private mutating func open(for uplink: UplinkFingerprint, _ receivedAt: Timestamp) -> Decision {
        let epoch = DeviceEpoch(
            epoch: epochCount, reference: uplink.reference, highestFcnt: uplink.fcnt, highestAt: uplink.networkAt)
        epochCount += 1
        epochs[uplink.reference, default: []].append(epoch)
        toBeWritten[epoch.epoch] = epoch
        goOn(in: epoch)
        return remember(uplink, in: epoch.epoch, receivedAt)
    }

    private mutating func store(_ uplink: UplinkFingerprint, in epoch: DeviceEpoch, _ receivedAt: Timestamp) -> Decision
    {
        if uplink.fcnt > epoch.highestFcnt, var known = epochs[uplink.reference] {
            known[known.count - 1].highestFcnt = uplink.fcnt
            known[known.count - 1].highestAt = uplink.networkAt
            epochs[uplink.reference] = known
            goOn(in: known[known.count - 1])
        }
        return remember(uplink, in: epoch.epoch, receivedAt)
    }

    private mutating func goOn(in epoch: DeviceEpoch) {
        if let left = current, left.epoch.epoch != epoch.epoch { toBeWritten[left.epoch.epoch] = left.epoch }
        current = CurrentEpoch(epoch: epoch, isRestart: (epochs[epoch.reference]?.count ?? 0) > 1)
    }

    private mutating func remember(_ uplink: UplinkFingerprint, in epoch: Int32, _ receivedAt: Timestamp) -> Decision {
        let position = Position(epoch: epoch, fcnt: uplink.fcnt)
        keys[position] = UplinkKey(
            epoch: epoch, fcnt: uplink.fcnt, fPort: uplink.fPort, payloadHash: uplink.payloadHash,
            networkAt: uplink.networkAt, receivedAt: receivedAt)
        if let idHash = uplink.idHash { ids[idHash] = position }
        return .new(epoch: epoch)
    }
}
