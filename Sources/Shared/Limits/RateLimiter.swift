import Logging
import Synchronization

/// The token buckets of whoever asks: in this process, or in Redis, where all processes share them. When Redis is away, each goes on with
/// buckets of its own, which are full at first: nobody is refused for that, and nobody may ask without bound.
package final class RateLimiter: Sendable {
    /// Buckets kept in this process at most. Full ones are forgotten first, which changes nothing.
    private static let capacity = 100_000

    private let buckets = Mutex<[RateLimit: TokenBucket]>([:])
    private let shared: RedisBuckets?

    package init(shared: RedisBuckets? = nil) {
        self.shared = shared
    }

    /// - Parameter redis: nil for buckets of this process alone.
    package convenience init(_ redis: RedisAddress?, scope: String, registry: MetricRegistry, logger: Logger) {
        self.init(shared: redis.map { RedisBuckets($0, scope: scope, metrics: registry, logger: logger) })
    }

    /// One token of each, or of none.
    /// - Throws: the one that takes longest to have another.
    package func take(_ limits: [RateLimit]) async throws(RateExcess) {
        if let shared, let verdict = await shared.take(limits) {
            guard let excess = verdict.excess else { return }
            throw excess
        }
        if let excess = takeHere(limits, now: .now) { throw excess }
    }

    func takeHere(_ limits: [RateLimit], now: ContinuousClock.Instant) -> RateExcess? {
        buckets.withLock { buckets in
            if buckets.count >= Self.capacity { buckets = buckets.filter { !$0.value.isFull(at: now) } }
            let waits = limits.compactMap { limit in
                buckets[limit]?.wait(at: now).map { RateExcess(limit: limit, wait: $0) }
            }
            if let longest = waits.max(by: { $0.wait < $1.wait }) { return longest }
            for limit in limits {
                _ = buckets[limit, default: TokenBucket(rate: limit.rate, burst: limit.burst, now: now)].take(at: now)
            }
            return nil
        }
    }
}
