import Postgres
import Shared

/// When a space can be booked: pure arithmetic on spans of time.
struct Availability: Sendable {
    /// When the space is open, and when somebody holds it; in any order, overlapping or not.
    let open, busy: [Range<Timestamp>]

    /// Stretches that are open and nobody's, as far as they are long enough. For what is longer than any opening of the space
    /// (both ends of a stay must lie inside opening hours, not what is between them) the earliest stay from each opening.
    ///
    /// - Parameter duration: microseconds.
    func slots(of duration: Int64) -> [Range<Timestamp>] {
        let (open, busy) = (Self.united(open), Self.united(busy))
        let free = Self.subtract(busy, from: open)
        guard duration > open.map(\.length).max() ?? 0 else {
            return free.filter { $0.length >= max(duration, 1) }
        }
        return free.compactMap { begin in
            guard let start = Self.earliestStart(of: duration, in: begin, open) else { return nil }
            let stay = start..<start.adding(microseconds: duration)
            return busy.contains { $0.overlaps(stay) } ? nil : stay
        }
    }

    /// Stays of this length nearest to one that can't be had, in the order of time.
    func nearest(to wanted: Range<Timestamp>, count: Int) -> [Range<Timestamp>] {
        let duration = wanted.length
        let candidates = slots(of: duration).map { slot -> Range<Timestamp> in
            let latest = slot.upperBound.adding(microseconds: -duration)
            let start = min(max(wanted.lowerBound, slot.lowerBound), latest)
            return start..<start.adding(microseconds: duration)
        }
        let distance = { (stay: Range<Timestamp>) in abs(stay.lowerBound.microseconds(since: wanted.lowerBound)) }
        return candidates.sorted { distance($0) < distance($1) }.prefix(count)
            .sorted { $0.lowerBound < $1.lowerBound }
    }

    /// The first instant of a stretch from which a stay ends inside some later opening.
    private static func earliestStart(
        of duration: Int64, in begin: Range<Timestamp>, _ open: [Range<Timestamp>]
    ) -> Timestamp? {
        open.lazy.compactMap { end -> Timestamp? in
            // After the opening began: who ends at that very moment ends too early.
            let earliest = end.lowerBound.adding(microseconds: 1 - duration)
            let start = max(begin.lowerBound, earliest)
            let isInside = start < begin.upperBound && start.adding(microseconds: duration) <= end.upperBound
            return isInside ? start : nil
        }.first
    }

    /// In order, with what touches put together.
    private static func united(_ spans: [Range<Timestamp>]) -> [Range<Timestamp>] {
        var united: [Range<Timestamp>] = []
        for span in spans.sorted(by: { $0.lowerBound < $1.lowerBound }) where !span.isEmpty {
            if let last = united.last, span.lowerBound <= last.upperBound {
                united[united.count - 1] = last.lowerBound..<max(last.upperBound, span.upperBound)
            } else {
                united.append(span)
            }
        }
        return united
    }

    /// Both in order and apart.
    private static func subtract(_ busy: [Range<Timestamp>], from open: [Range<Timestamp>]) -> [Range<Timestamp>] {
        var free: [Range<Timestamp>] = []
        var next = 0
        for span in open {
            var start = span.lowerBound
            while next < busy.count, busy[next].upperBound <= start { next += 1 }
            var taken = next
            while taken < busy.count, busy[taken].lowerBound < span.upperBound {
                if busy[taken].lowerBound > start { free.append(start..<busy[taken].lowerBound) }
                start = max(start, busy[taken].upperBound)
                taken += 1
            }
            if start < span.upperBound { free.append(start..<span.upperBound) }
        }
        return free
    }
}

extension Range<Timestamp> {
    /// Microseconds.
    var length: Int64 { upperBound.microseconds(since: lowerBound) }
}
