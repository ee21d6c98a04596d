import Postgres
import Synchronization

/// A bounded cache in front of a look-up that must be fresh within seconds: entries live for `timeToLive`, are dropped by
/// tag when the database tells of a change, and concurrent misses of one key share one look-up.
///
/// When the look-up itself fails (the database is away) or takes long, a stale entry is served rather than the error: who was
/// known a moment ago is still known. Unless it is to serve what is fresh alone.
package final class LookupCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private struct Entry {
        var value: Value
        var tag: TenantID?
        var freshUntil: ContinuousClock.Instant
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        var underWay: [Key: Task<(Value, TenantID?), any Error>] = [:]
        var generation = Generation()
    }

    /// Counts invalidations, so that a look-up which began before one does not put an outdated value back.
    private struct Generation: Equatable {
        /// Those of a tenant.
        var changes = 0
        /// Those of all, of which nobody knows whether anything changed.
        var doubts = 0
    }

    private let state = Mutex(State())
    private let capacity: Int
    private let timeToLive: Duration
    /// How long a look-up may take while there is a stale entry.
    private let patience: Duration
    private let servesStale: Bool
    private let isAway: @Sendable () -> Bool
    private let load: @Sendable (Key) async throws -> (Value, tag: TenantID?)

    /// - Parameters:
    ///   - capacity: entries kept at most; past it, about an eighth is dropped, outdated ones first.
    ///   - timeToLive: how long an entry is believed without a word from the database.
    ///   - patience: how long a look-up may take while there is a stale entry.
    ///   - servesStale: false where who was known a moment ago may have lost their rights, and can't be served without the database
    ///     anyway.
    ///   - isAway: what is known to be in vain is not tried while there is a stale entry.
    ///   - load: looks a key up; the tag says whose change makes the entry void, and is nil for what is unknown.
    package init(
        capacity: Int, timeToLive: Duration = .seconds(4), patience: Duration = .seconds(1), servesStale: Bool = true,
        isAway: @escaping @Sendable () -> Bool = { false },
        load: @escaping @Sendable (Key) async throws -> (Value, tag: TenantID?)
    ) {
        self.capacity = capacity
        self.timeToLive = timeToLive
        self.patience = patience
        self.servesStale = servesStale
        self.isAway = isAway
        self.load = load
    }

    package func value(for key: Key) async throws -> Value {
        let now = ContinuousClock.now
        let (hit, stale) = state.withLock { state -> (Value?, Value?) in
            guard let entry = state.entries[key] else { return (nil, nil) }
            // That somebody is unknown is no news worth keeping.
            return entry.freshUntil > now
                ? (entry.value, nil) : (nil, entry.tag == nil || !servesStale ? nil : entry.value)
        }
        if let hit { return hit }
        if let stale, isAway() { return stale }
        guard let stale else { return try await loadOnce(key) }
        // A look-up that takes longer goes on; one that fails is tried again by who comes later.
        if let loaded = try? await patience.orOverdue({ try await self.loadOnce(key) }) { return loaded }
        // Whoever comes next need not wait for the database too.
        state.withLock { state in
            guard let entry = state.entries[key], entry.freshUntil <= now else { return }
            state.entries[key]?.freshUntil = .now + .seconds(1)
        }
        return stale
    }

    /// Drops what belongs to a tenant, and what belongs to none (unknown keys may have become known).
    package func invalidate(tag: TenantID) {
        state.withLock { state in
            state.generation.changes += 1
            state.underWay.removeAll() // whoever asks from now on must not get an answer from before
            state.entries = state.entries.filter { $0.value.tag != nil && $0.value.tag != tag }
        }
    }

    /// What is known may be outdated: the word of changes was lost for a while. It still serves while the database is away.
    package func invalidateAll() {
        let now = ContinuousClock.now
        state.withLock { state in
            state.generation.doubts += 1
            state.underWay.removeAll()
            state.entries = state.entries.mapValues { Entry(value: $0.value, tag: $0.tag, freshUntil: now) }
        }
    }

    private func loadOnce(_ key: Key) async throws -> Value {
        let (task, generation) = state.withLock { state in
            if let task = state.underWay[key] { return (task, state.generation) }
            let task = Task { [load] in
                let (value, tag) = try await load(key)
                return (value, tag)
            }
            state.underWay[key] = task
            return (task, state.generation)
        }
        let result = await task.result
        state.withLock { state in
            if state.underWay[key] == task { state.underWay[key] = nil }
            guard case .success(let (value, tag)) = result, state.generation.changes == generation.changes else {
                return
            }
            // As outdated as the others, and like them good enough while the database is away.
            let isDoubted = state.generation != generation
            if isDoubted, state.entries[key] != nil { return }
            makeRoom(&state)
            state.entries[key] = Entry(value: value, tag: tag, freshUntil: isDoubted ? .now : .now + timeToLive)
        }
        return try result.get().0
    }

    private func makeRoom(_ state: inout State) {
        guard state.entries.count >= capacity else { return }
        let now = ContinuousClock.now
        state.entries = state.entries.filter { $0.value.freshUntil > now }
        var surplus = state.entries.count - capacity * 7 / 8
        guard surplus > 0 else { return }
        for key in state.entries.keys {
            state.entries[key] = nil
            surplus -= 1
            if surplus <= 0 { break }
        }
    }
}
