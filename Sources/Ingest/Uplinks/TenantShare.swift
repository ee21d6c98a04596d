import Foundation
import Postgres
import Shared

/// One tenant's part of a group: what to look up for it, and the decisions.
struct TenantShare: Sendable {
    struct Found {
        var states: [Int32: DeviceStateChange] = [:]
        var owners: [Int32: UplinkOwner] = [:]
        var histories: [Int32: DeviceHistory] = [:]
        var messages: Set<UplinkLookups.Message> = []
    }

    let tenant: TenantID
    let submissions: [(index: Int, submission: UplinkSubmission)]
    private let uplinks: [ResolvedUplink]
    private let identified: [(owner: Int32, hash: UUID)]
    private let messages: [UplinkLookups.Message]

    init(tenant: TenantID, submissions: [(index: Int, submission: UplinkSubmission)]) {
        self.tenant = tenant
        self.submissions = submissions
        uplinks = submissions.flatMap(\.submission.uplinks)
        identified = uplinks.compactMap { resolved in
            resolved.uplink.fingerprint.idHash.map { (owner: resolved.owner.id, hash: $0) }
        }
        messages = submissions.compactMap(\.submission.message)
    }

    /// Tenant setting, lock, then looks. Few networks give their uplinks or messages ids: without any, nothing is looked up by them.
    func lookUps() -> [AnyStatement] {
        let owners = Array(Set(uplinks.map(\.owner.id))).sorted()
        let (ids, references) = (uplinks.map(\.owner.id), uplinks.map(\.uplink.fingerprint.reference))
        var statements = [
            GroupTransaction.set(tenant),
            UplinkLookups.lock(owners, of: tenant).erased,
            UplinkLookups.owners(owners, of: tenant).erased,
            UplinkLookups.epochs(ids, references, of: tenant).erased,
            UplinkLookups.keys(ids, references, uplinks.map(\.uplink.fingerprint.fcnt), of: tenant).erased,
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
        let states = try results.removeFirst().rows(as: UplinkLookups.LockedState.self)
        var found = Found()
        for owner in try results.removeFirst().rows(as: UplinkOwner.self) { found.owners[owner.id] = owner }
        let epochs = Dictionary(
            grouping: try results.removeFirst().rows(as: UplinkLookups.OwnedEpoch.self), by: \.owner)
        let keys = Dictionary(grouping: try results.removeFirst().rows(as: UplinkLookups.OwnedKey.self), by: \.owner)
        let known = identified.isEmpty ? [] : try results.removeFirst().rows(as: UplinkLookups.OwnedID.self)
        let ids = Dictionary(grouping: known, by: \.owned.owner)
        if !messages.isEmpty { found.messages = Set(try results.removeFirst().rows(as: UplinkLookups.Message.self)) }
        for state in states {
            found.states[state.owner] = DeviceStateChange(state)
            let known = ids[state.owner] ?? []
            found.histories[state.owner] = DeviceHistory(
                epochCount: state.epochCount, epochs: (epochs[state.owner] ?? []).map(\.epoch),
                keys: (keys[state.owner] ?? []).map(\.key) + known.map(\.owned.key),
                ids: Dictionary(
                    known.map { ($0.idHash, .init(epoch: $0.owned.key.epoch, fcnt: $0.owned.key.fcnt)) },
                    uniquingKeysWith: { first, _ in first }))
        }
        return found
    }

    /// Decides every uplink in order of arrival. A submission with an owner that is no longer what it was is left out whole
    /// and answered `StaleOwner`.
    func decide(_ found: Found, into outcomes: inout [UplinkGroupWriter.Outcomes]) -> UplinkWrites {
        var found = found
        var writes = UplinkWrites()
        var touched: Set<Int32> = []
        for (index, submission) in submissions {
            if let message = submission.message {
                guard found.messages.insert(message).inserted else {
                    outcomes[index] = .success(submission.uplinks.map { _ in .duplicate })
                    continue
                }
                guard !isStale(submission, found) else {
                    found.messages.remove(message)
                    outcomes[index] = .failure(StaleOwner())
                    continue
                }
                writes.messages.append(message)
            } else if isStale(submission, found) {
                outcomes[index] = .failure(StaleOwner())
                continue
            }
            outcomes[index] = .success(
                submission.uplinks.map { decide($0, of: submission, &found, &writes, &touched) })
        }
        for owner in touched.sorted() {
            guard let history = found.histories[owner], var state = found.states[owner] else { continue }
            state.epochCount = history.epochCount
            writes.states.append(state)
            writes.epochs += history.changedEpochs.map { (owner, $0) }
        }
        return writes
    }

    /// Whether an owner is gone, or was an orphan and is a device now (its samples would be missing).
    private func isStale(_ submission: UplinkSubmission, _ found: Found) -> Bool {
        submission.uplinks.contains { found.owners[$0.owner.id] != $0.owner || found.states[$0.owner.id] == nil }
    }

    private func decide(
        _ resolved: ResolvedUplink, of submission: UplinkSubmission, _ found: inout Found, _ writes: inout UplinkWrites,
        _ touched: inout Set<Int32>
    ) -> UplinkOutcome {
        let (owner, uplink) = (resolved.owner, resolved.uplink)
        if case .orphan(isIgnored: true) = owner.kind { return .orphan }
        guard var history = found.histories[owner.id] else { return .refused }
        let decision = history.decide(uplink.fingerprint, receivedAt: uplink.receivedAt)
        found.histories[owner.id] = history
        switch decision {
        case .duplicate(let position):
            if let key = history.key(at: position) {
                writes.countRepetition(of: key, owner: owner, gateway: uplink.gatewayID)
            }
            return .duplicate
        case .new(let epoch):
            touched.insert(owner.id)
            writes.store(resolved, epoch: epoch, of: submission)
            found.states[owner.id]?.apply(uplink, occupiedField: owner.occupiedField)
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
    var isOrphan: Bool { occupiedField == nil }

    var occupiedField: String? {
        if case .device(let field) = kind { field } else { nil }
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
            owner: resolved.owner.id, epoch: epoch, uplink: resolved.uplink, fingerprint: resolved.uplink.fingerprint,
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
