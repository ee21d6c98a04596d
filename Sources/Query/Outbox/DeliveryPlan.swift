import Postgres

/// When something that was not taken is sent again. A table: no clock, no database.
struct DeliveryPlan: Sendable {
    enum Step: Equatable, Sendable {
        case delivered
        /// To be sent again then.
        case pending(Timestamp)
        case dead
    }

    /// After the first attempt, the second …; after the last of them, that again and again.
    var pauses: [Duration] = [
        .seconds(5), .seconds(30), .seconds(300), .seconds(1_800), .seconds(7_200), .seconds(18_000), .seconds(36_000),
        .seconds(43_200),
    ]

    /// Of a pause, so that what failed together does not come back together.
    static let mostJitter = 0.1

    /// - Parameters:
    ///   - attempt: which this was, from 1 on.
    ///   - end: no attempt is made after it.
    ///   - jitter: 0 to 1, of the most there is.
    func step(
        after outcome: SendOutcome, attempt: Int, at now: Timestamp, until end: Timestamp, jitter: Double
    ) -> Step {
        switch outcome {
        case .taken: return .delivered
        case .gone, .refused: return .dead
        case .failed(_, _, let retryAfter):
            let pause = pauses[min(max(1, attempt), pauses.count) - 1] * (1 + Self.mostJitter * jitter)
            let next = now.adding(max(pause, retryAfter ?? .zero))
            return next <= end ? .pending(next) : .dead
        }
    }
}
