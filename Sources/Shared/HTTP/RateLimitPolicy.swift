/// What a client may do in a time, as the `RateLimit-Policy` field tells it (draft-ietf-httpapi-ratelimit-headers §3).
package struct RateLimitPolicy: Hashable, Sendable {
    /// What is counted: `key`, `tenant`, …
    package let name: String
    /// Units within `window`.
    package let quota: Int
    /// Seconds.
    package let window: Int

    package init(_ name: String, quota: Int, window: Int) {
        self.name = name
        self.quota = quota
        self.window = window
    }

    /// A token bucket's: so many as may be saved up, in the time that it takes to save them up.
    package init(_ name: String, rate: Double, burst: Double) {
        self.init(name, quota: Int(burst), window: max(1, Int((burst / rate).rounded(.up))))
    }

    var field: String { "\"\(name)\";q=\(quota);w=\(window)" }
}
