import Shared
import Synchronization

/// The ids of series, remembered. A series never changes, so entries stay until room is needed; owners not heard of for
/// the longest go first.
final class SeriesDirectory: Sendable {
    private struct Owner: Hashable {
        let tenant: TenantID
        let id: Int32
    }

    private struct Entry {
        let canonicalBytes: [UInt8]
        let id: Int32
    }

    private struct Remembered {
        var entries: [UInt64: Entry] = [:]
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
                count -= remembered.entries.count
            }
        }
    }

    private let state = Mutex(State())
    private let store: SeriesStore
    private let capacity: Int

    /// - Parameter capacity: series remembered at most; each takes some 150 bytes.
    init(store: SeriesStore, capacity: Int) {
        self.store = store
        self.capacity = capacity
    }

    /// The series id of each good row of a batch; nil past the tenant's bound.
    func ids(of batch: MetricBatch, owner: Int32, of tenant: Tenant) async throws -> [Int32?] {
        var (ids, misses) = lookUp(batch, Owner(tenant: tenant.id, id: owner))
        guard !misses.isEmpty else { return ids }
        let identities = misses.map { batch.series($0) }
        let resolved = try await store.resolve(Set(identities), owner: owner, of: tenant)
        for (row, identity) in zip(misses, identities) { ids[row] = resolved[identity] }
        remember(resolved, Owner(tenant: tenant.id, id: owner))
        return ids
    }

    /// The ids of series without labels, by metric; those past the tenant's bound are missing.
    func ids(ofMetrics metrics: [String], owner: Int32, of tenant: Tenant) async throws -> [String: Int32] {
        let identities = metrics.map { SeriesIdentity(metric: $0) }
        let key = Owner(tenant: tenant.id, id: owner)
        var known = recall(identities, key)
        let missing = Set(identities).subtracting(known.keys)
        if !missing.isEmpty {
            let resolved = try await store.resolve(missing, owner: owner, of: tenant)
            remember(resolved, key)
            known.merge(resolved) { first, _ in first }
        }
        return Dictionary(known.map { ($0.key.metric, $0.value) }, uniquingKeysWith: { first, _ in first })
    }

    private func lookUp(_ batch: MetricBatch, _ owner: Owner) -> (ids: [Int32?], misses: [Int]) {
        state.withLock { state in
            guard let remembered = state.touch(owner) else {
                return ([Int32?](repeating: nil, count: batch.count), Array(0..<batch.count))
            }
            var ids: [Int32?] = []
            ids.reserveCapacity(batch.count)
            var misses: [Int] = []
            batch.withSeriesKeys { keys in
                for row in 0..<batch.count {
                    let entry = remembered.entries[batch.seriesHashes[row]]
                    if let entry, entry.canonicalBytes.withUnsafeBytes({ $0.elementsEqual(keys[row]) }) {
                        ids.append(entry.id)
                    } else {
                        ids.append(nil)
                        misses.append(row)
                    }
                }
            }
            return (ids, misses)
        }
    }

    private func recall(_ identities: [SeriesIdentity], _ owner: Owner) -> [SeriesIdentity: Int32] {
        state.withLock { state in
            guard let remembered = state.touch(owner) else { return [:] }
            var known: [SeriesIdentity: Int32] = [:]
            for identity in identities {
                let bytes = identity.canonicalBytes
                let hash = bytes.withUnsafeBytes { SeriesHash.process.hash($0) }
                if let entry = remembered.entries[hash], entry.canonicalBytes == bytes { known[identity] = entry.id }
            }
            return known
        }
    }

    private func remember(_ resolved: [SeriesIdentity: Int32], _ owner: Owner) {
        state.withLock { state in
            if state.count + resolved.count > capacity { state.forgetOldest(downTo: capacity * 3 / 4) }
            var remembered = state.owners[owner] ?? Remembered()
            state.count -= remembered.entries.count
            for (identity, id) in resolved {
                let bytes = identity.canonicalBytes
                let hash = bytes.withUnsafeBytes { SeriesHash.process.hash($0) }
                remembered.entries[hash] = Entry(canonicalBytes: bytes, id: id)
            }
            state.count += remembered.entries.count
            remembered.usedAt = state.clock
            state.owners[owner] = remembered
        }
    }
}
