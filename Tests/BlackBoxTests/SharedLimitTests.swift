import Foundation
import Support
import Testing

/// Rate limits that two query processes share through a real Redis.
@Suite(.timeLimit(.minutes(5)))
struct SharedLimitTests {
    private static let limits = ["SIGN_INS_PER_SECOND": "1", "TRUSTED_PROXIES": "127.0.0.1"]

    private static func guess(_ url: String, from address: String, _ client: TestClient) async throws
        -> TestClient.Answer
    {
        try await client.post(
            url + "/api/v1/auth/refresh", json: ["refresh_token": "guessed"], headers: ["X-Forwarded-For": address])
    }

    @Test func twoProcessesShareOneBucket() async throws {
        try await RedisServer.run { redis in
            try await Installation.run { installation in
                let settings = Self.limits.merging(["REDIS_URL": redis.url]) { $1 }
                let first = try await installation.startQuery(settings)
                let second = try await installation.startReplica(settings)
                let start = ContinuousClock.now
                var guesses: [Int] = []
                for number in 0..<40 {
                    let url = number.isMultiple(of: 2) ? installation.queryURL : second.url
                    let answer = try await Self.guess(url, from: "203.0.113.7", installation.client)
                    guesses.append(answer.status)
                    if answer.status == 429 {
                        #expect(answer.header("Retry-After") == "1" && answer.json["code"] as? String == "rate_limited")
                        #expect(answer.header("RateLimit-Policy") == "\"address\";q=5;w=5")
                    }
                }
                // The burst of five, and what came back meanwhile; with a bucket each it were ten.
                let refilled = Int((ContinuousClock.now - start) / .seconds(1)) + 1
                let letIn = guesses.filter { $0 == 401 }.count
                #expect((5...5 + refilled).contains(letIn), "\(guesses)")
                let other = try await Self.guess(second.url, from: "203.0.113.8", installation.client)
                #expect(other.status == 401, "another address has another bucket")
                for process in [first, second.process] {
                    process.send(SIGTERM)
                    #expect(await process.waitForExit() == 0, "\(process.output)")
                    #expect(!process.output.contains(RedisServer.password))
                }
            }
        }
    }

    /// It keeps its connections and says nothing; then it is gone; then it is back.
    @Test func whenRedisStopsUnderLoadEverybodyIsServed() async throws {
        try await RedisServer.run { redis in
            try await Installation.run { installation in
                let tenant = try await installation.onboard("acme")
                let process = try await installation.startQuery(["REDIS_URL": redis.url])
                let api = API(installation: installation, token: try await installation.signIn(tenant))
                let isOver = Flag()
                let (answers, answered) = AsyncStream.makeStream(of: Int.self)
                let load = Task {
                    try await withThrowingTaskGroup { group in
                        for _ in 0..<8 {
                            group.addTask {
                                while !isOver.isRaised {
                                    answered.yield(try await api.send(.get, "/users/me", nil).status)
                                }
                            }
                        }
                        try await group.waitForAll()
                    }
                }
                var told = answers.makeAsyncIterator()
                for _ in 0..<200 { #expect(await told.next() == 200) }
                redis.pause()
                for _ in 0..<500 { #expect(await told.next() == 200) }
                redis.goOn()
                for _ in 0..<200 { #expect(await told.next() == 200) }
                redis.end()
                for _ in 0..<500 { #expect(await told.next() == 200) }
                isOver.raise()
                try await load.value
                let metrics = try await installation.client.send(.get, installation.queryMetricsURL).text
                for by in ["redis", "process"] {
                    let line = metrics.split(separator: "\n").first {
                        $0.hasPrefix("pulsegate_shared_rate_limits_total{by=\"\(by)\"}")
                    }
                    #expect((line?.split(separator: " ").last.flatMap { Double($0) } ?? 0) > 0, "\(by)")
                }
                process.send(SIGTERM)
                #expect(await process.waitForExit() == 0, "\(process.output)")
            }
        }
    }
}
