import Postgres
import Shared
import Synchronization
import Testing

struct LookupCacheTests {
    private let loads = Counter()

    private final class Counter: Sendable {
        private let value = Mutex(0)
        var count: Int { value.withLock { $0 } }
        func increment() { value.withLock { $0 += 1 } }
    }

    @Test func aHitAsksNobody() async throws {
        let cache = LookupCache<Int, Int>(capacity: 10) { [loads] key in
            loads.increment()
            return (key * 2, TenantID(1))
        }
        #expect(try await cache.value(for: 4) == 8)
        #expect(try await cache.value(for: 4) == 8)
        #expect(loads.count == 1)
    }

    @Test func aTenantsChangeDropsItsEntriesAndTheUnknownOnes() async throws {
        let cache = LookupCache<Int, Int?>(capacity: 10) { [loads] key in
            loads.increment()
            return key == 0 ? (nil, nil) : (key, TenantID(Int32(key)))
        }
        for key in [0, 1, 2] { _ = try await cache.value(for: key) }
        cache.invalidate(tag: TenantID(1))
        for key in [0, 1, 2] { _ = try await cache.value(for: key) }
        #expect(loads.count == 5, "0 and 1 were looked up anew")
    }

    /// While the database is known to be away nobody is asked in vain, and what lost its freshness still serves.
    @Test func awayWhatIsStaleServesWithoutALookUp() async throws {
        let isAway = Mutex(false)
        let cache = LookupCache<Int, Int>(capacity: 10, isAway: { isAway.withLock { $0 } }) { [loads] key in
            loads.increment()
            return (key * 2, TenantID(1))
        }
        _ = try await cache.value(for: 4)
        cache.invalidateAll()
        isAway.withLock { $0 = true }
        #expect(try await cache.value(for: 4) == 8)
        #expect(loads.count == 1)
        #expect(try await cache.value(for: 5) == 10, "who is not known is looked up")
        isAway.withLock { $0 = false }
        _ = try await cache.value(for: 4)
        #expect(loads.count == 3)
    }

    /// A database that says nothing holds up nobody who is known.
    @Test func aLookUpThatTakesLongIsNotWaitedFor() async throws {
        let (gate, opened) = AsyncStream.makeStream(of: Void.self)
        let cache = LookupCache<Int, Int>(capacity: 10, patience: .milliseconds(10)) { [loads] key in
            loads.increment()
            if loads.count > 1 { for await _ in gate { break } }
            return (key * 2, TenantID(1))
        }
        _ = try await cache.value(for: 4)
        cache.invalidateAll()
        #expect(try await cache.value(for: 4) == 8)
        #expect(loads.count == 2)
        opened.finish()
    }

    @Test func concurrentMissesShareOneLookUp() async throws {
        let (gate, opened) = AsyncStream.makeStream(of: Void.self)
        let cache = LookupCache<Int, Int>(capacity: 10) { [loads] key in
            loads.increment()
            for await _ in gate { break }
            return (key, nil)
        }
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<20 { group.addTask { try await cache.value(for: 7) } }
            while loads.count == 0 { await Task.yield() }
            opened.finish()
            for try await value in group { #expect(value == 7) }
        }
        #expect(loads.count >= 1 && loads.count < 20)
    }

    /// An invalidation between a look-up's beginning and its end means that its result may be outdated: it is not kept.
    @Test func aLookUpThatWasOvertakenIsNotKept() async throws {
        let (gate, opened) = AsyncStream.makeStream(of: Void.self)
        let cache = LookupCache<Int, Int>(capacity: 10) { [loads] key in
            loads.increment()
            if loads.count == 1 { for await _ in gate { break } }
            return (loads.count, TenantID(1))
        }
        async let first = cache.value(for: 1)
        while loads.count == 0 { await Task.yield() }
        cache.invalidate(tag: TenantID(1))
        opened.finish()
        _ = try await first
        #expect(try await cache.value(for: 1) == 2)
    }

    /// When nobody knows whether anything changed, it is kept as what may be outdated: it serves while the database is away.
    @Test func aLookUpThatWasOvertakenByADoubtServesWithoutADatabase() async throws {
        let (gate, opened) = AsyncStream.makeStream(of: Void.self)
        let cache = LookupCache<Int, Int>(capacity: 10) { [loads] key in
            loads.increment()
            if loads.count > 1 { throw PostgresError(kind: .connectFailed, message: "away") }
            for await _ in gate { break }
            return (key * 2, TenantID(1))
        }
        async let first = cache.value(for: 1)
        while loads.count == 0 { await Task.yield() }
        cache.invalidateAll()
        opened.finish()
        _ = try await first
        #expect(try await cache.value(for: 1) == 2)
        #expect(loads.count == 2, "it was looked up anew first")
    }

    /// Where rights are at stake.
    @Test func whatServesTheFreshAloneWaitsOrFails() async throws {
        struct Away: Error {}
        let isAway = Mutex(false)
        let cache = LookupCache<Int, Int>(
            capacity: 10, timeToLive: .zero, patience: .zero, servesStale: false
        ) { [loads] key in
            if isAway.withLock({ $0 }) { throw Away() }
            loads.increment()
            return (loads.count, TenantID(1))
        }
        #expect(try await cache.value(for: 1) == 1)
        #expect(try await cache.value(for: 1) == 2, "it waits, however long that takes")
        isAway.withLock { $0 = true }
        await #expect(throws: Away.self) { try await cache.value(for: 1) }
    }

    @Test func aStaleEntryOutlivesTheDatabase() async throws {
        let cache = LookupCache<Int, Int>(capacity: 10, timeToLive: .zero) { [loads] key in
            loads.increment()
            if loads.count > 2 { throw PostgresError(kind: .connectFailed, message: "away") }
            return (key, key == 0 ? nil : TenantID(1))
        }
        #expect(try await cache.value(for: 3) == 3)
        #expect(try await cache.value(for: 0) == 0)
        #expect(try await cache.value(for: 3) == 3)
        #expect(loads.count == 3)
        await #expect(throws: PostgresError.self) { try await cache.value(for: 4) }
        // Who was unknown may have become known.
        await #expect(throws: PostgresError.self) { try await cache.value(for: 0) }
    }

    @Test func itStaysWithinItsCapacity() async throws {
        let cache = LookupCache<Int, Int>(capacity: 8) { [loads] key in
            loads.increment()
            return (key, nil)
        }
        for key in 0..<100 { _ = try await cache.value(for: key) }
        let before = loads.count
        for key in 0..<100 { _ = try await cache.value(for: key) }
        #expect(loads.count - before >= 92)
    }
}
