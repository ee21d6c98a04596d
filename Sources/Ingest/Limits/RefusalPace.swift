/// When refusals leave, as a pure value: each a period after the one before.
struct RefusalPace {
    /// Nobody's answer waits for longer, however many there are: gateways time out.
    static let longest = Duration.seconds(1)

    private let period: Duration
    private var next: ContinuousClock.Instant

    /// - Parameter rate: refusals a second.
    init(rate: Double, now: ContinuousClock.Instant) {
        period = .seconds(1 / rate)
        next = now
    }

    /// How long this refusal waits.
    mutating func delay(at now: ContinuousClock.Instant) -> Duration {
        let due = min(max(next, now), now + Self.longest)
        next = due + period
        return now.duration(to: due)
    }
}
