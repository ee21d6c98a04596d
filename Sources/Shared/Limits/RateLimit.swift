import Foundation

/// How often somebody may ask, as a token bucket that they hold.
package struct RateLimit: Hashable, Sendable {
    package enum Holder: Hashable, Sendable {
        case tenant(UUID)
        /// A user, an API key or an integration.
        case principal(UUID)
        /// The letters that a tenant has sent.
        case letters(of: UUID)
        /// The letters that somebody gets, by the hash of their address.
        case mailbox([UInt8])
        /// Whoever has not said yet who they are. Of IPv6 the network, since one machine has as many addresses as it likes.
        case address(IPAddress)
    }

    package let holder: Holder
    /// Tokens a second.
    package let rate: Double
    /// Tokens that may be saved up.
    package let burst: Double

    package init(_ holder: Holder, rate: Double, burst: Double) {
        self.holder = holder
        self.rate = rate
        self.burst = burst
    }

    /// What clients know it by.
    var policy: RateLimitPolicy {
        let name =
            switch holder {
            case .tenant: "tenant"
            case .principal: "principal"
            case .letters, .mailbox: "letters"
            case .address: "address"
            }
        return RateLimitPolicy(name, rate: rate, burst: burst)
    }
}

/// Somebody asked too often.
package struct RateExcess: Error, Sendable {
    package let limit: RateLimit
    /// Seconds until they may ask again.
    package let wait: Double

    /// 429 with Retry-After and the RateLimit fields.
    package var problem: Problem {
        .tooManyRequests(limit.policy, retryAfter: Int(wait.rounded(.up)))
    }
}
