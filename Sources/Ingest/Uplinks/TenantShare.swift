import Foundation
import Postgres
import Shared

/// One tenant's part of a group: what to look up for it, and the decisions.
struct TenantShare: Sendable {
    struct Found {
        var states: [Int32: UplinkLookups.LockedState] = [:]
        var owners: [Int32: UplinkOwner] = [:]
        var ids: [Int32: [UplinkLookups.OwnedID]] = [:]
        var messages: Set<UplinkLookups.Message> = []
        var epochs: [Int32: [DeviceEpoch]] = [:]
        var keys: [Int32: [UplinkKey]] = [:]
    }

    let tenant: TenantID
    let submissions: [(index: Int, submission: UplinkSubmission)]
    private let searchesAll: Bool
    private let uplinks: [ResolvedUplink]
    private let identified: [(owner: Int32, hash: UUID)]
    private let messages: [UplinkLookups.Message]

    /// - Parameter searchesAll: whether keys and epochs are looked up also of uplinks that simply continue their device's epoch.
    init(tenant: TenantID, submissions: [(index: Int, submission: UplinkSubmission)], searchesAll: Bool) {
        self.tenant = tenant
        self.searchesAll = searchesAll
        self.submissions = submissions
        uplinks = submissions.flatMap(\.submission.uplinks)
        identified = uplinks.compactMap { resolved in
            resolved.fingerprint.idHash.map { (owner: resolved.owner.id, hash: $0) }
        }
        messages = submissions.compactMap(\.submission.message)
    }

    /// Tenant setting, lock, then looks. Few networks give their uplinks or messages ids: without any, nothing is looked up by them.
    func lookUps() -> [AnyStatement] {
        let owners = Array(Set(uplinks.map(\.owner.id))).sorted()
        var statements = [
            GroupTransaction.set(tenant),
            UplinkLookups.lock(owners, of: tenant).erased,
            UplinkLookups.owners(owners, of: tenant).erased,
        ]
        if !identified.isEmpty {
            statements.append(UplinkLookups.ids(identified.map(\.owner), identified.map(\.hash), of: tenant).erased)
        }
        if !messages.isEmpty { statements.append(UplinkLookups.messages(messages, of: tenant).erased) }
        return statements
    }

    /// - Parameter results: of ``lookUps()``.
    func read(_ results: ArraySlice<ResultSet>) throws -> Found {
        var results = results.dropFirst()
        var found = Found()
        for state in try results.removeFirst().rows(as: UplinkLookups.LockedState.self) {
            found.states[state.owner] = state
        }
        for owner in try results.removeFirst().rows(as: UplinkOwner.self) { found.owners[owner.id] = owner }
        if !identified.isEmpty {
            found.ids = Dictionary(
                grouping: try results.removeFirst().rows(as: UplinkLookups.OwnedID.self), by: \.owned.owner)
        }
        if !messages.isEmpty { found.messages = Set(try results.removeFirst().rows(as: UplinkLookups.Message.self)) }
        return found
    }

    /// What else must be known about the uplinks that do not simply continue their device's current epoch: nothing, mostly.
    func searches(_ found: Found) -> [AnyStatement] {
        let unusual = uplinks.filter { resolved in
            searchesAll
                || found.states[resolved.owner.id]?.current?.isSurelyContinued(by: resolved.fingerprint) != true
        }
        guard !unusual.isEmpty else { return [] }
        let (ids, references) = (unusual.map(\.owner.id), unusual.map(\.fingerprint.reference))
        return [
            GroupTransaction.set(tenant),
            UplinkLookups.epochs(ids, references, of: tenant).erased,
            UplinkLookups.keys(ids, references, unusual.map(\.fingerprint.fcnt), of: tenant).erased,
        ]
    }

    /// - Parameter results: of ``searches(_:)``.
    func read(_ results: ArraySlice<ResultSet>, into found: inout Found) throws {
        guard !results.isEmpty else { return }
        var results = results.dropFirst()
        for epoch in try results.removeFirst().rows(as: UplinkLookups.OwnedEpoch.self) {
            found.epochs[epoch.owner, default: []].append(epoch.epoch)
        }
        for key in try results.removeFirst().rows(as: UplinkLookups.OwnedKey.self) {
            found.keys[key.owner, default: []].append(key.key)
        }
    }

    /// Decides every uplink in order of arrival. A submission with an owner that is no longer what it was is left out whole
    /// and answered `StaleOwner`.
    func decide(_ found: Found, into outcomes: inout [UplinkGroupWriter.Outcomes]) -> UplinkWrites {
        var messages = found.messages
        var devices = found.devices
        var writes = UplinkWrites()
        for (index, submission) in submissions {
            if let message = submission.message {
                guard messages.insert(message).inserted else {
                    outcomes[index] = .success(submission.uplinks.map { _ in .duplicate })
                    continue
                }
                guard !isStale(submission, found) else {
                    messages.remove(message)
                    outcomes[index] = .failure(StaleOwner())
                    continue
                }
                writes.messages.append(message)
            } else if isStale(submission, found) {
                outcomes[index] = .failure(StaleOwner())
                continue
            }
            outcomes[index] = .success(
                submission.uplinks.map { devices[$0.owner.id]?.decide($0, of: submission, &writes) ?? .refused })
        }
        for (owner, device) in devices.sorted(by: { $0.key < $1.key }) where device.isChanged {
            writes.states.append(device.state.following(device.history))
            writes.epochs += device.history.changedEpochs.map { (owner, $0) }
        }
        return writes
    }

    /// Whether an owner is gone, or was an orphan and is a device now (its samples would be missing).
    private func isStale(_ submission: UplinkSubmission, _ found: Found) -> Bool {
        submission.uplinks.contains { found.owners[$0.owner.id] != $0.owner || found.states[$0.owner.id] == nil }
    }
}

extension TenantShare.Found {
    fileprivate var devices: [Int32: DecidedDevice] {
        states.mapValues { state in
            let ids = ids[state.owner] ?? []
            let history = DeviceHistory(
                epochCount: state.epochCount, current: state.current, epochs: epochs[state.owner] ?? [],
                keys: (keys[state.owner] ?? []) + ids.map(\.owned.key),
                ids: Dictionary(
                    ids.map { ($0.idHash, .init(epoch: $0.owned.key.epoch, fcnt: $0.owned.key.fcnt)) },
                    uniquingKeysWith: { first, _ in first }))
            return DecidedDevice(history: history, state: DeviceStateChange(state))
        }
    }
}

/// A device while the group's uplinks of it are decided.
private struct DecidedDevice {
    var history: DeviceHistory
    var state: DeviceStateChange
    var isChanged = false

    mutating func decide(
        _ resolved: ResolvedUplink, of submission: UplinkSubmission, _ writes: inout UplinkWrites
    ) -> UplinkOutcome {
        let (owner, uplink) = (resolved.owner, resolved.uplink)
        if case .orphan(isIgnored: true) = owner.kind { return .orphan }
        switch history.decide(resolved.fingerprint, receivedAt: uplink.receivedAt) {
        case .duplicate(let position):
            if let key = history.key(at: position) {
                writes.countRepetition(of: key, owner: owner, gateway: uplink.gatewayID)
            }
            return .duplicate
        case .new(let epoch):
            isChanged = true
            writes.store(resolved, epoch: epoch, of: submission)
            state.apply(uplink, read: owner.reading)
            return owner.isOrphan ? .orphan : .stored
        }
    }
}

extension UplinkSubmission {
    fileprivate var message: UplinkLookups.Message? {
        messageHash.map { .init(integrationID: integrationID, idHash: $0) }
    }
}

extension UplinkOwner {
    var isOrphan: Bool { reading == nil }

    var reading: Reading? {
        if case .device(let reading) = kind { reading } else { nil }
    }
}

extension UplinkWrites {
    fileprivate mutating func countRepetition(of key: UplinkKey, owner: UplinkOwner, gateway: String?) {
        let uplink = RepeatedUplink(
            owner: owner.id, position: .init(epoch: key.epoch, fcnt: key.fcnt), receivedAt: key.receivedAt)
        let table: WritableKeyPath<UplinkWrites, [RepeatedUplink: Repetition]> =
            owner.isOrphan ? \.repetitionsOfOrphans : \.repetitions
        self[keyPath: table][uplink, default: Repetition()].count += 1
        if let gateway { self[keyPath: table][uplink, default: Repetition()].gateways.insert(gateway) }
    }

    fileprivate mutating func store(_ resolved: ResolvedUplink, epoch: Int32, of submission: UplinkSubmission) {
        let new = NewUplink(
            owner: resolved.owner.id, epoch: epoch, uplink: resolved.uplink, fingerprint: resolved.fingerprint,
            arrivedAt: submission.arrivedAt, integrationID: submission.integrationID)
        guard !resolved.owner.isOrphan else {
            orphaned.append(new)
            return
        }
        readings.append(new)
        for (series, value) in resolved.samples {
            samples[resolved.owner.id, default: SampleRun()].append(
                series: series, ts: resolved.uplink.receivedAt.microseconds, value: value)
        }
    }
}
