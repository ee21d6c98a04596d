/// A token bucket, as a pure value: refilled by the time that passed, never above its burst.
package struct TokenBucket {
    package let rate: Double
    package let burst: Double
    private var tokens: Double
    private var refilledAt: ContinuousClock.Instant

    /// - Parameters:
    ///   - rate: tokens a second.
    ///   - burst: tokens that may be saved up; a new bucket is full.
    package init(rate: Double, burst: Double, now: ContinuousClock.Instant) {
        self.rate = rate
        self.burst = burst
        self.tokens = burst
        self.refilledAt = now
    }

    /// Whether it is as full as a new one, and so need not be kept.
    package func isFull(at now: ContinuousClock.Instant) -> Bool {
        tokens + elapsed(until: now) * rate >= burst
    }

    /// Seconds until there are so many tokens; nil when there are now.
    package func wait(for count: Double = 1, at now: ContinuousClock.Instant) -> Double? {
        let missing = count - min(burst, tokens + elapsed(until: now) * rate)
        return missing > 0 ? missing / rate : nil
    }

    /// Takes so many tokens, or none and says in how many seconds there will be enough.
    package mutating func take(_ count: Double = 1, at now: ContinuousClock.Instant) -> Double? {
        tokens = min(burst, tokens + elapsed(until: now) * rate)
        refilledAt = max(refilledAt, now)
        guard tokens >= count else { return (count - tokens) / rate }
        tokens -= count
        return nil
    }

    private func elapsed(until now: ContinuousClock.Instant) -> Double {
        max(0, refilledAt.duration(to: now) / .seconds(1))
    }
}
