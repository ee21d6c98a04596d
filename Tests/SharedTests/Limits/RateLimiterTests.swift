import Foundation
import HTTPTypes
import Testing

@testable import Shared

@Suite struct RateLimiterTests {
    private let one = UUID.v7()
    private let other = UUID.v7()

    private func limit(_ id: UUID, burst: Double) -> RateLimit {
        RateLimit(.principal(id), rate: 0.001, burst: burst)
    }

    @Test func aTokenOfEachIsTakenOrOfNone() async throws {
        let limiter = RateLimiter()
        let (narrow, wide) = (limit(one, burst: 1), limit(other, burst: 3))
        try await limiter.take([narrow, wide])
        let excess = await #expect(throws: RateExcess.self) { try await limiter.take([wide, narrow]) }
        #expect(excess?.limit == narrow && (excess?.wait ?? 0) > 900)
        for _ in 0..<2 { try await limiter.take([wide]) } // what was refused took nothing of it
        await #expect(throws: RateExcess.self) { try await limiter.take([wide]) }
    }

    @Test func theAnswerNamesThePolicy() async throws {
        let limiter = RateLimiter()
        let limit = RateLimit(.address(try #require(IPAddress("192.0.2.1"))), rate: 0.5, burst: 2)
        for _ in 0..<2 { try await limiter.take([limit]) }
        let excess = await #expect(throws: RateExcess.self) { try await limiter.take([limit]) }
        let headers = try #require(excess).problem.headers
        #expect(headers[.retryAfter] == "2")
        #expect(headers[.rateLimitPolicy] == "\"address\";q=2;w=4" && headers[.rateLimit] == "\"address\";r=0;t=2")
    }
}
