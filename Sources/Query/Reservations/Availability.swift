import Postgres
import Shared

/// When a space can be booked: pure arithmetic on spans of time.
struct Availability: Sendable {
    /// When the space is open, and when somebody holds it; in any order, overlapping or not.
    let open, busy: [Range<Timestamp>]

    /// Stretches that are open and nobody's, where they are long enough; from those that are too short the earliest stay that ends inside a
    /// later opening, as both ends of a stay must lie inside opening hours, but not what is between them.
    ///
    /// - Parameter duration: microseconds, at least 1.
    func slots(of duration: Int64) -> [Range<Timestamp>] {
        let (open, busy) = (Self.united(open), Self.united(busy))
        var (later, next) = (0, 0)
        return Self.subtract(busy, from: open).compactMap { free in
            if free.length >= duration { return free }
            // Openings and busy spans are in order, as are the stretches: nothing is looked at twice.
            while later < open.count, open[later].upperBound < free.lowerBound.adding(microseconds: duration) {
                later += 1
            }
            guard later < open.count else { return nil }
            let start = max(free.lowerBound, open[later].lowerBound.adding(microseconds: -duration))
            let stay = start..<start.adding(microseconds: duration)
            while next < busy.count, busy[next].lowerBound < free.upperBound { next += 1 }
            let isFree = next == busy.count || busy[next].lowerBound >= stay.upperBound
            return isFree && start < free.upperBound ? stay : nil
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
