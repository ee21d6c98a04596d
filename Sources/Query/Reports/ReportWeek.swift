import Postgres
import Shared

/// Seven days from a Sunday on, in UTC.
struct ReportWeek: Sendable, Equatable {
    private static let length: Int64 = 7 * 86_400

    let from: Timestamp
    /// Not of it any more.
    var to: Timestamp { from.adding(seconds: Self.length) }

    /// The last one that is over.
    init(lastBefore now: Timestamp) {
        from = JobSchedule.weekly.due(at: now).adding(seconds: -Self.length)
    }

    /// - Parameter day: `2026-11-15`.
    /// - Returns: nil for what is no day, or no Sunday.
    init?(beginning day: String) {
        guard day.utf8.count == 10, let from = Timestamp(rfc3339: day + "T00:00:00Z"),
            JobSchedule.weekly.due(at: from) == from
        else { return nil }
        self.from = from
    }

    /// Its first day.
    var day: String { String(from.rfc3339.prefix(10)) }
}

extension ReportWeek: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.object { object in
            object.field("from", from)
            object.field("to", to)
        }
    }
}
