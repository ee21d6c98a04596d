import Foundation
import Shared
import Synchronization

/// A tenant or its credential asks too often.
struct RateExceeded: Error {
    /// 429 with Retry-After.
    let problem: Problem
    /// How long the answer is held back.
    let delay: Duration
}

/// The rates of a tenant and of one of its keys, in this process.
///
/// Refusing costs too, and who does not heed Retry-After would have us do nothing else. So refusals leave no faster than the rate itself allows requests: the connection of
/// who asks a hundred times too often waits for its answer, and what it sends meanwhile stays in its own socket.
final class RateLimiter: Sendable {
    private enum Holder: Hashable {
        case tenant(TenantID)
        case credential(UUID)
    }

    private struct Pace {
        var bucket: TokenBucket
        var refusals: RefusalPace

        init(rate: Double, now: ContinuousClock.Instant) {
            bucket = TokenBucket(rate: rate, burst: rate * 2, now: now)
            refusals = RefusalPace(rate: rate, now: now)
        }
    }

    /// Kept at most. Full buckets are forgotten first, which changes nothing.
    private static let capacity = 100_000

    private let paces = Mutex<[Holder: Pace]>([:])

    /// - Throws: ``RateExceeded``; hold nothing while you wait.
    func admit(_ tenant: Tenant, credential: UUID) throws(RateExceeded) {
        let now = ContinuousClock.now
        let refusal = paces.withLock { paces -> RateExceeded? in
            if paces.count >= Self.capacity { paces = paces.filter { !$0.value.bucket.isFull(at: now) } }
            return take("key", .credential(credential), tenant.plan.ingestRequestsPerSecondAndKey, &paces, now)
                ?? take("tenant", .tenant(tenant.id), tenant.plan.ingestRequestsPerSecond, &paces, now)
        }
        if let refusal { throw refusal }
    }

    private func take(
        _ policy: String, _ holder: Holder, _ rate: Double, _ paces: inout [Holder: Pace],
        _ now: ContinuousClock.Instant
    ) -> RateExceeded? {
        var pace = paces[holder] ?? Pace(rate: rate, now: now)
        if pace.bucket.rate != rate { pace = Pace(rate: rate, now: now) }
        defer { paces[holder] = pace }
        return pace.bucket.take(at: now).map { wait in
            RateExceeded(
                problem: .tooManyRequests(policy, pace.bucket, wait: wait), delay: pace.refusals.delay(at: now))
        }
    }
}

/// Lets a refused request's answer go once the rate is exceeded no more.
func holdingBackRefusals<Answer>(_ answer: () async throws -> Answer) async throws -> Answer {
    do {
        return try await answer()
    } catch let excess as RateExceeded {
        // Cancelled, nobody waits for the answer any more.
        try await Task.sleep(for: excess.delay)
        throw excess.problem
    }
}

extension Problem {
    /// - Parameter wait: seconds until the bucket has enough.
    static func tooManyRequests(_ policy: String, _ bucket: TokenBucket, wait: Double) -> Problem {
        .tooManyRequests(
            RateLimitPolicy(policy, rate: bucket.rate, burst: bucket.burst), retryAfter: Int(wait.rounded(.up)))
    }
}
