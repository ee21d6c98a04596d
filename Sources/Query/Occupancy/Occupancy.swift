import Postgres
import Shared

/// What a space was, from when to when: its sensor's readings as time that passed.
struct Occupancy: Sendable, Equatable {
    struct Run: Sendable, Equatable {
        let state: Space.State
        /// Microseconds since the Unix epoch.
        var span: Range<Int64>
    }

    /// In order, each next to the one before, neighbours of different states.
    private(set) var runs: [Run] = []

    /// What one sensor tells of a span. A reading holds until the next one, and for the interval that its profile expects at most.
    ///
    /// - Parameters:
    ///   - readings: in order; the one before the span says how it begins.
    ///   - interval: microseconds.
    init(_ readings: Samples, holdingFor interval: Int64, within span: Range<Int64>) {
        var known = span.lowerBound
        for index in readings.times.indices {
            let at = readings.times[index]
            guard at < span.upperBound else { break }
            let next = index + 1 < readings.count ? readings.times[index + 1] : .max
            let end = min(next, at.addingReportingOverflow(interval).partialValue, span.upperBound)
            guard end > known else { continue }
            append(.unknown, until: max(at, known), from: &known)
            append(readings.values[index] != 0 ? .occupied : .free, until: end, from: &known)
        }
        append(.unknown, until: span.upperBound, from: &known)
    }

    /// Several sensors after one another; when there was none, nothing is known.
    init(_ parts: [Occupancy], within span: Range<Int64>) {
        var known = span.lowerBound
        for run in parts.flatMap(\.runs).sorted(by: { $0.span.lowerBound < $1.span.lowerBound }) {
            append(.unknown, until: run.span.lowerBound, from: &known)
            append(run.state, until: run.span.upperBound, from: &known)
        }
        append(.unknown, until: span.upperBound, from: &known)
    }

    private mutating func append(_ state: Space.State, until end: Int64, from known: inout Int64) {
        guard end > known else { return }
        if let last = runs.last, last.state == state {
            runs[runs.count - 1].span = last.span.lowerBound..<end
        } else {
            runs.append(Run(state: state, span: known..<end))
        }
        known = end
    }
}

/// How long the spaces of a site were what, bucket by bucket.
struct OccupancyTotals: Sendable, Equatable {
    /// Each with microseconds, over all spaces.
    struct Bucket: Sendable, Equatable {
        let span: Range<Int64>
        var occupied: Int64 = 0
        var free: Int64 = 0
        var unknown: Int64 = 0
    }

    private(set) var buckets: [Bucket]
    private(set) var spaces = 0

    /// - Parameter spans: in order, each next to the one before.
    init(_ spans: [Range<Int64>]) {
        buckets = spans.map { Bucket(span: $0) }
    }

    mutating func add(_ occupancy: Occupancy) {
        spaces += 1
        var index = 0
        for run in occupancy.runs {
            while index < buckets.count, buckets[index].span.upperBound <= run.span.lowerBound { index += 1 }
            var touched = index
            while touched < buckets.count, buckets[touched].span.lowerBound < run.span.upperBound {
                let time = buckets[touched].span.clamped(to: run.span)
                buckets[touched].add(run.state, time.upperBound - time.lowerBound)
                touched += 1
            }
        }
    }
}

extension OccupancyTotals.Bucket {
    fileprivate mutating func add(_ state: Space.State, _ microseconds: Int64) {
        switch state {
        case .occupied: occupied += microseconds
        case .free: free += microseconds
        case .unknown: unknown += microseconds
        }
    }
}
