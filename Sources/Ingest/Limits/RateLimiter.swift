import Foundation
import Shared
import Synchronization

/// The rates of a tenant and of one of its keys, in this process.
final class RateLimiter: Sendable {
    private enum Holder: Hashable {
        case tenant(TenantID)
        case credential(UUID)
    }

    /// Buckets kept at most. Full ones are forgotten first, which changes nothing.
    private static let capacity = 100_000

    private let buckets = Mutex<[Holder: TokenBucket]>([:])

    /// - Throws: `Problem` 429 with Retry-After when the tenant or its credential asks too often.
    func admit(_ tenant: Tenant, credential: UUID) throws {
        let now = ContinuousClock.now
        let refusal = buckets.withLock { buckets -> Problem? in
            if buckets.count >= Self.capacity { buckets = buckets.filter { !$0.value.isFull(at: now) } }
            return take("key", .credential(credential), tenant.plan.ingestRequestsPerSecondAndKey, &buckets, now)
                ?? take("tenant", .tenant(tenant.id), tenant.plan.ingestRequestsPerSecond, &buckets, now)
        }
        if let refusal { throw refusal }
    }

    private func take(
        _ policy: String, _ holder: Holder, _ rate: Double, _ buckets: inout [Holder: TokenBucket],
        _ now: ContinuousClock.Instant
    ) -> Problem? {
        var bucket = buckets[holder] ?? TokenBucket(rate: rate, burst: rate * 2, now: now)
        if bucket.rate != rate { bucket = TokenBucket(rate: rate, burst: rate * 2, now: now) }
        defer { buckets[holder] = bucket }
        return bucket.take(at: now).map { .tooManyRequests(policy, bucket, wait: $0) }
    }
}

extension Problem {
    /// - Parameter wait: seconds until the bucket has enough.
    static func tooManyRequests(_ policy: String, _ bucket: TokenBucket, wait: Double) -> Problem {
        .tooManyRequests(
            RateLimitPolicy(policy, rate: bucket.rate, burst: bucket.burst), retryAfter: Int(wait.rounded(.up)))
    }
}
