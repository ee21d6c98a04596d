import Shared
import Synchronization

/// The ids of series, remembered. A series never changes, so entries stay until room is needed; owners not heard of for
/// the longest go first.
final class SeriesDirectory: Sendable {
    private struct Owner: Hashable {
        let tenant: TenantID
        let id: Int32
    }

    private struct Remembered {
        var series = KnownSeries()
        var usedAt = 0
    }

    private struct State {
        var owners: [Owner: Remembered] = [:]
        var count = 0
        var clock = 0

        mutating func touch(_ owner: Owner) -> Remembered? {
            clock += 1
            owners[owner]?.usedAt = clock
            return owners[owner]
        }

        mutating func forgetOldest(downTo bound: Int) {
            for (owner, remembered) in owners.sorted(by: { $0.value.usedAt < $1.value.usedAt }) {
                guard count > bound else { return }
                owners[owner] = nil
                count -= remembered.series.count
            }
        }
    }

    private let state = Mutex(State())
    private let store: SeriesStore
    private let capacity: Int
    private let patience: Duration

    /// - Parameters:
    ///   - capacity: series remembered at most; each takes some 150 bytes.
    ///   - patience: how long the database may take to say what is not remembered; then ``Overdue`` is thrown.
    init(store: SeriesStore, capacity: Int, patience: Duration) {
        self.store = store
        self.capacity = capacity
        self.patience = patience
    }

    /// The series of each good row of a batch, and the rows whose series is past the tenant's bound; their ids mean nothing.
    func ids(
        of batch: MetricBatch, owner: Int32, of tenant: Tenant
    ) async throws -> (ids: [Int32], unknown: [Int]) {
        var (ids, misses) = lookUp(batch, Owner(tenant: tenant.id, id: owner))
        guard !misses.isEmpty else { return (ids, []) }
        let identities = misses.map { batch.series($0) }
        let resolved = try await patience.orOverdue { [store] in
            try await store.resolve(Set(identities), owner: owner, of: tenant)
        }
        remember(resolved, Owner(tenant: tenant.id, id: owner))
        var unknown: [Int] = []
        for (row, identity) in zip(misses, identities) {
            guard let id = resolved[identity] else {
                unknown.append(row)
                continue
            }
            ids[row] = id
        }
        return (ids, unknown)
    }

    /// The ids of series without labels, by metric; those past the tenant's bound are missing.
    func ids(ofMetrics metrics: [String], owner: Int32, of tenant: Tenant) async throws -> [String: Int32] {
        let identities = metrics.map { SeriesIdentity(metric: $0) }
        let key = Owner(tenant: tenant.id, id: owner)
        var known = recall(identities, key)
        let missing = Set(identities).subtracting(known.keys)
        if !missing.isEmpty {
            let resolved = try await patience.orOverdue { [store] in
                try await store.resolve(missing, owner: owner, of: tenant)
            }
            remember(resolved, key)
            known.merge(resolved) { first, _ in first }
        }
        return Dictionary(known.map { ($0.key.metric, $0.value) }, uniquingKeysWith: { first, _ in first })
    }

    private func lookUp(_ batch: MetricBatch, _ owner: Owner) -> (ids: [Int32], misses: [Int]) {
        var ids = [Int32](repeating: 0, count: batch.count)
        guard let series = state.withLock({ $0.touch(owner)?.series }) else { return (ids, Array(ids.indices)) }
        var misses: [Int] = []
        batch.withSeriesKeys { keys in
            for row in ids.indices {
                if let id = series.id(keys[row], hash: batch.seriesHashes[row]) {
                    ids[row] = id
                } else {
                    misses.append(row)
                }
            }
        }
        return (ids, misses)
    }

    private func recall(_ identities: [SeriesIdentity], _ owner: Owner) -> [SeriesIdentity: Int32] {
        guard let series = state.withLock({ $0.touch(owner)?.series }) else { return [:] }
        var known: [SeriesIdentity: Int32] = [:]
        for identity in identities {
            identity.canonicalBytes.withUnsafeBytes { bytes in
                known[identity] = series.id(bytes, hash: SeriesHash.process.hash(bytes))
            }
        }
        return known
    }

    private func remember(_ resolved: [SeriesIdentity: Int32], _ owner: Owner) {
        state.withLock { state in
            if state.count + resolved.count > capacity { state.forgetOldest(downTo: capacity * 3 / 4) }
            var remembered = state.owners.removeValue(forKey: owner) ?? Remembered()
            state.count -= remembered.series.count
            for (identity, id) in resolved {
                let bytes = identity.canonicalBytes
                let hash = bytes.withUnsafeBytes { SeriesHash.process.hash($0) }
                remembered.series.remember(bytes, hash: hash, id: id)
            }
            state.count += remembered.series.count
            remembered.usedAt = state.clock
            state.owners[owner] = remembered
        }
    }
}
