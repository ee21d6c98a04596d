import Postgres

/// When a job is due, in UTC, where no hour is skipped and none comes twice.
enum JobSchedule: Sendable, Equatable {
    /// Counted from the Unix epoch, so that all processes mean the same instants.
    case every(Duration)
    case daily(hour: Int64)
    /// At the beginning of each Sunday.
    case weekly

    private static let day: Int64 = 86_400_000_000
    /// The first Sunday after the Unix epoch, which was a Thursday.
    private static let firstSunday: Int64 = 3 * day

    /// The latest instant, `now` included, for which the job should have run.
    func due(at now: Timestamp) -> Timestamp {
        let passed = now.microseconds - anchor
        let remainder = passed % period
        return Timestamp(microseconds: now.microseconds - (remainder < 0 ? remainder + period : remainder))
    }

    func next(after now: Timestamp) -> Timestamp { due(at: now).adding(microseconds: period) }

    /// How long to wait after a run that failed.
    var patience: Duration { .microseconds(min(period, 60_000_000)) }

    /// For people.
    var words: String {
        switch self {
        case .every(.seconds(3_600)): "every hour"
        case .every(let interval):
            "every \(Double(interval / .milliseconds(1)) / 1_000) s".replacing(".0 s", with: " s")
        case .daily(let hour): "daily at \(hour < 10 ? "0" : "")\(hour):00 UTC"
        case .weekly: "Sundays at 00:00 UTC"
        }
    }

    private var period: Int64 {
        switch self {
        case .every(let interval): max(1, Int64(interval / .microseconds(1)))
        case .daily: Self.day
        case .weekly: 7 * Self.day
        }
    }

    private var anchor: Int64 {
        switch self {
        case .every: 0
        case .daily(let hour): hour * 3_600_000_000
        case .weekly: Self.firstSunday
        }
    }
}
