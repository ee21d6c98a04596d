import Foundation
import Postgres
import Shared

/// What sensors said of spaces in a span of time.
struct OccupancyReading: Sendable {
    /// A sensor's time in a space, within the span.
    struct Placement: Sendable {
        let spaceID: UUID
        /// Nil for a sensor that never said whether the space is taken.
        let series: Int32?
        /// Microseconds since the Unix epoch.
        let span: Range<Int64>
        /// When it came: what it said before it said elsewhere.
        let began: Int64
        /// Microseconds.
        let interval: Int64

        init(_ row: Row) throws {
            spaceID = try row["space_id"]
            series = try row["id"]
            let since = (try row["since"] as Timestamp).microseconds
            span = since..<max(since, (try row["until"] as Timestamp).microseconds)
            began = (try row["began"] as Timestamp).microseconds
            interval = Int64(try row["expected_interval_s"] as Int32) * 1_000_000
        }
    }

    private var placements: [UUID: [Placement]] = [:]
    private let merges: [Int32: SampleMerge]
    private let span: Range<Int64>

    /// Puts together what ``rows(_:_:in:_:)`` answered.
    init(_ rows: [OccupancyRow], within span: Range<Timestamp>) {
        self.span = span.lowerBound.microseconds..<span.upperBound.microseconds
        var stored: [StoredSamples] = []
        for row in rows {
            switch row {
            case .placement(let placement): placements[placement.spaceID, default: []].append(placement)
            case .samples(let samples): stored.append(samples)
            }
        }
        merges = [Int32: SampleMerge](stored, within: .min..<self.span.upperBound)
    }

    /// Readings of all of them.
    var count: Int { merges.values.reduce(0) { $0 + $1.count } }

    /// In the order of their ids.
    var spaces: [UUID] { placements.keys.sorted() }

    /// Unknown all the time for a space that had no sensor.
    func occupancy(of space: UUID) -> Occupancy {
        let parts = (placements[space] ?? []).map { placement in
            let said = placement.series.flatMap { merges[$0]?.merged() } ?? Samples()
            let readings = said.from(placement.began)
            return Occupancy(readings, holdingFor: placement.interval, within: placement.span)
        }
        return Occupancy(parts, within: span)
    }
}

extension ReadingBudget {
    /// - Throws: `Problem` 422 that says what to narrow.
    func check(_ rows: [OccupancyRow]) throws {
        let stored = rows.lazy.compactMap { if case .samples(let samples) = $0 { samples } else { nil } }
        guard allows(stored) else {
            throw Problem.tooMuch(
                "from", "too_many_samples", "More than \(samples) readings to read: narrow from and to.")
        }
    }
}
