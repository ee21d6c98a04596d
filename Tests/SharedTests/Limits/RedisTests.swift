import Foundation
import Logging
import Support
import Testing

@testable import Shared

/// Rate limits in a real Redis.
@Suite struct RedisTests {
    /// So slow that no test sees a token come back.
    private let limit = RateLimit(.principal(UUID.v7()), rate: 0.001, burst: 50)

    /// One whose connection is open.
    private func makeLimiter(_ server: RedisServer, scope: String = "test") async throws -> RateLimiter {
        let buckets = RedisBuckets(
            try #require(RedisAddress(server.url) as RedisAddress?), scope: scope, metrics: MetricRegistry(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        while !buckets.isOpen { await Task.yield() }
        return RateLimiter(shared: buckets)
    }

    /// How many of so many at once are let in.
    private func admitted(_ count: Int, by limiters: [RateLimiter], _ limits: [RateLimit]) async -> Int {
        await withTaskGroup(of: Bool.self) { group in
            for number in 0..<count {
                group.addTask {
                    do {
                        try await limiters[number % limiters.count].take(limits)
                        return true
                    } catch { return false }
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
    }

    @Test func processesShareABucket() async throws {
        try await RedisServer.run { server in
            let limiters = [try await makeLimiter(server), try await makeLimiter(server)]
            #expect(await admitted(400, by: limiters, [limit]) == 50)
            #expect(await admitted(10, by: [try await makeLimiter(server, scope: "other")], [limit]) == 10)
        }
    }

    @Test func aTokenOfEachIsTakenOrOfNone() async throws {
        try await RedisServer.run { server in
            let limiter = try await makeLimiter(server)
            let narrow = RateLimit(.tenant(UUID.v7()), rate: 0.001, burst: 1)
            try await limiter.take([limit, narrow])
            let excess = await #expect(throws: RateExcess.self) { try await limiter.take([limit, narrow]) }
            #expect(excess?.limit == narrow && (900...1_000).contains(excess?.wait ?? 0))
            #expect(await admitted(100, by: [limiter], [limit]) == 49)
        }
    }

    /// Tokens come back with time, by Redis's own clock; what would be full is forgotten.
    @Test func bucketsFillAgain() async throws {
        try await RedisServer.run { server in
            let limiter = try await makeLimiter(server)
            let quick = RateLimit(.principal(UUID.v7()), rate: 1_000_000, burst: 1)
            for _ in 0..<20 { try await limiter.take([quick]) }
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func whenRedisStopsUnderLoadNobodyWaits() async throws {
        try await RedisServer.run { server in
            let limiter = try await makeLimiter(server)
            let wide = RateLimit(.principal(UUID.v7()), rate: 1, burst: 1_000_000)
            #expect(await admitted(200, by: [limiter], [wide]) == 200)
            server.pause()
            #expect(await admitted(2_000, by: [limiter], [wide]) == 2_000)
            #expect(await admitted(200, by: [limiter], [limit]) == 50, "each process has buckets of its own then")
            server.goOn()
            // It is asked again after a second; the bucket there is still full.
            var passed = 0
            while passed < 50, !Task.isCancelled { passed += await admitted(1, by: [limiter], [limit]) }
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func aRedisThatComesBackEmptyIsTaughtAnew() async throws {
        let port = try FreePorts.take(1)[0]
        let limiter = try await RedisServer.run(port: port) { server in
            let limiter = try await makeLimiter(server)
            #expect(await admitted(60, by: [limiter], [limit]) == 50)
            return limiter
        }
        #expect(await admitted(60, by: [limiter], [limit]) == 50, "it is gone")
        try await RedisServer.run(port: port) { _ in
            var passed = 0
            while passed < 50, !Task.isCancelled { passed += await admitted(1, by: [limiter], [limit]) }
        }
    }

    @Test func aWrongPasswordIsAFailureThatNamesNone() async throws {
        try await RedisServer.run { server in
            let wrong = try #require(RedisAddress("redis://:wrong@127.0.0.1:\(server.port)"))
            let failure = #expect(throws: RedisClient.Failure.self) { try RedisClient(wrong) }
            #expect(
                failure?.description.contains("wrong") == false || failure?.description.contains("WRONGPASS") == true)
            let none = try #require(RedisAddress("redis://127.0.0.1:1"))
            #expect(throws: RedisClient.Failure.self) { try RedisClient(none) }
        }
    }

    @Test(arguments: [
        "", "localhost:6379", "rediss://h", "redis://", "redis://h:0", "redis://h:70000", "redis://h/x",
        "redis://h?a=b",
    ])
    func otherAddressesAreNone(text: String) {
        #expect(RedisAddress(text) == nil)
    }

    @Test func addressesAreTakenApart() throws {
        let address = try #require(RedisAddress("redis://user:p%40ss@example.com:7000/3"))
        #expect(address.host == "example.com" && address.port == 7_000 && address.database == 3)
        #expect(address.user == "user" && address.password == "p@ss")
        #expect(RedisAddress("redis://[::1]")?.host == "::1")
    }
}
