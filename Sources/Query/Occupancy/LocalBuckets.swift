import Foundation
import Postgres
import Shared

/// Cuts time as people of a zone do: days from midnight to midnight, of 23 and 25 hours where clocks change.
struct LocalBuckets: Sendable {
    private static let day: Int64 = 86_400_000_000
    private static let hour: Int64 = 3_600_000_000

    private let step: Int64
    private let calendar: Calendar

    /// Nil unless the step is some days, or divides one.
    ///
    /// - Parameter zone: IANA's name; one that nobody knows any more counts as UTC.
    init?(_ step: Step, zone: String) {
        let step = step.microseconds
        guard step >= Self.day ? step % Self.day == 0 : Self.day % step == 0, step >= 1_000_000 else { return nil }
        self.step = step
        var calendar = Calendar(identifier: .iso8601)
        calendar.timeZone = TimeZone(identifier: zone) ?? .gmt
        self.calendar = calendar
    }

    /// - Returns: nil for more than `most`.
    func cut(_ span: Range<Timestamp>, most: Int) -> [Range<Int64>]? {
        guard span.length / step <= most else { return nil }
        var bounds: [Int64] = []
        var day = calendar.startOfDay(for: span.lowerBound.date)
        while day < span.upperBound.date {
            guard let next = calendar.date(byAdding: .day, value: 1, to: day).map(calendar.startOfDay(for:)), next > day
            else { break }
            bounds += begins(within: day, until: next)
            day = next
        }
        let (from, to) = (span.lowerBound.microseconds, span.upperBound.microseconds)
        let inner = bounds.filter { $0 > from && $0 < to }
        let edges = [from] + inner + [to]
        return zip(edges, edges.dropFirst()).map { $0..<$1 }
    }

    /// Of one local day. Steps of up to an hour are counted in time that passes, so that the hour which comes twice is two; longer ones
    /// by the clock on the wall.
    private func begins(within day: Date, until next: Date) -> [Int64] {
        let (start, end) = (day.microseconds, next.microseconds)
        if step >= Self.day { return isFirst(day) ? [start] : [] }
        if step <= Self.hour { return Array(stride(from: start, to: end, by: Int64.Stride(step))) }
        let hours = stride(from: 0, to: Self.day, by: Int64.Stride(step)).map { Int($0 / 60_000_000) }
        let found = hours.compactMap { minutes in
            minutes == 0 ? day : calendar.date(bySettingHour: minutes / 60, minute: minutes % 60, second: 0, of: day)
        }
        return Set(found.map(\.microseconds)).filter { $0 >= start && $0 < end }.sorted()
    }

    /// Whether a step of several days begins with this one: weeks on Mondays.
    private func isFirst(_ day: Date) -> Bool {
        let local = day.timeIntervalSince1970 + Double(calendar.timeZone.secondsFromGMT(for: day))
        let days = Int64((local / 86_400).rounded(.down))
        return (days - 4) % (step / Self.day) == 0 // 1970-01-05 was the first Monday
    }
}

extension Timestamp {
    fileprivate var date: Date { Date(timeIntervalSince1970: Double(microseconds) / 1e6) }
}

extension Date {
    fileprivate var microseconds: Int64 { Int64((timeIntervalSince1970 * 1e6).rounded()) }
}
