import Foundation
import Postgres
import Shared
import Support
import Testing

@testable import Query

/// What readings make of time.
@Suite struct OccupancyTests {
    private static func occupancy(
        _ readings: [(Int64, Double)], interval: Int64 = 10, _ span: Range<Int64> = 0..<100
    ) -> [String] {
        var samples = Samples()
        for (at, value) in readings { samples.append(at, value) }
        return Occupancy(samples, holdingFor: interval, within: span).words
    }

    @Test func aReadingHoldsUntilTheNextOrItsInterval() {
        #expect(Self.occupancy([]) == ["unknown 0-100"])
        #expect(Self.occupancy([(0, 1), (5, 0)], 0..<20) == ["occupied 0-5", "free 5-15", "unknown 15-20"])
        #expect(
            Self.occupancy([(0, 1), (5, 1), (15, 1), (26, 1)], 0..<30) == [
                "occupied 0-25", "unknown 25-26", "occupied 26-30",
            ])
        #expect(Self.occupancy([(-5, 1)], 0..<20) == ["occupied 0-5", "unknown 5-20"])
        #expect(Self.occupancy([(-50, 1), (-5, 0)], 0..<10) == ["free 0-5", "unknown 5-10"])
        #expect(Self.occupancy([(-50, 1)], 0..<10) == ["unknown 0-10"])
        #expect(Self.occupancy([(3, 1), (10, 0)], 0..<10) == ["unknown 0-3", "occupied 3-10"])
        #expect(Self.occupancy([(1, 0.5), (2, -1)], 0..<4) == ["unknown 0-1", "occupied 1-4"])
    }

    @Test func sensorsFollowEachOther() {
        let first = Occupancy(Self.samples([(0, 1)]), holdingFor: 100, within: 0..<10)
        let second = Occupancy(Self.samples([(5, 0), (20, 1)]), holdingFor: 100, within: 15..<30)
        #expect(
            Occupancy([second, first], within: 0..<30).words == [
                "occupied 0-10", "unknown 10-15", "free 15-20", "occupied 20-30",
            ])
        #expect(Occupancy([], within: 0..<30).words == ["unknown 0-30"])
    }

    /// Against one instant after the other, bucket by bucket.
    @Test func timeIsNeitherLostNorCountedTwice() {
        var random = SplitMix(state: 7)
        for _ in 0..<1_000 {
            let times = Set(
                (0..<Int.random(in: 0...12, using: &random)).map { _ in Int64.random(in: -20..<120, using: &random) })
            let readings = times.sorted().map { ($0, Double.random(in: 0...1, using: &random).rounded()) }
            let interval = Int64.random(in: 1...40, using: &random)
            let occupancy = Occupancy(Self.samples(readings), holdingFor: interval, within: 0..<100)
            let expected = (Int64(0)..<100).map { at -> Space.State in
                guard let last = readings.last(where: { $0.0 <= at }), at < last.0 + interval else { return .unknown }
                return last.1 != 0 ? .occupied : .free
            }
            let found = occupancy.runs.flatMap { run in run.span.map { _ in run.state } }
            #expect(found == expected, "\(readings) \(interval)")
            for (left, right) in zip(occupancy.runs, occupancy.runs.dropFirst()) { #expect(left.state != right.state) }

            let cut = Int64.random(in: 1..<100, using: &random)
            var totals = OccupancyTotals([0..<cut, cut..<100])
            totals.add(occupancy)
            #expect(totals.buckets[0].occupied == Int64(expected.prefix(Int(cut)).count { $0 == .occupied }))
            #expect(totals.buckets[1].free == Int64(expected.dropFirst(Int(cut)).count { $0 == .free }))
            let all = totals.buckets.reduce(0) { $0 + $1.occupied + $1.free + $1.unknown }
            #expect(all == 100)
        }
    }

    static func samples(_ readings: [(Int64, Double)]) -> Samples {
        var samples = Samples()
        for (at, value) in readings { samples.append(at, value) }
        return samples
    }

    private static func cut(_ step: String, _ zone: String, _ from: String, _ to: String) throws -> [String]? {
        let length = try #require(Step(step))
        let buckets = try #require(LocalBuckets(length, zone: zone))
        let (start, end) = (try #require(Timestamp(rfc3339: from)), try #require(Timestamp(rfc3339: to)))
        let span = start..<end
        return buckets.cut(span, most: 100)?.map { bucket in
            "\(Timestamp(microseconds: bucket.lowerBound).rfc3339)+\((bucket.upperBound - bucket.lowerBound) / 3_600_000_000)h"
        }
    }

    /// In Madrid the clocks went from two to three on 2026-03-29, and from three to two on 2026-10-25.
    @Test func daysAreAsLongAsTheyAre() throws {
        #expect(
            try Self.cut("1d", "Europe/Madrid", "2026-03-27T23:00:00Z", "2026-03-30T22:00:00Z") == [
                "2026-03-27T23:00:00Z+24h", "2026-03-28T23:00:00Z+23h", "2026-03-29T22:00:00Z+24h",
            ])
        #expect(
            try Self.cut("1d", "Europe/Madrid", "2026-10-24T12:00:00Z", "2026-10-26T12:00:00Z") == [
                "2026-10-24T12:00:00Z+10h", "2026-10-24T22:00:00Z+25h", "2026-10-25T23:00:00Z+13h",
            ])
        #expect(try Self.cut("1h", "Europe/Madrid", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z")?.count == 23)
        #expect(try Self.cut("1h", "Europe/Madrid", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z")?.count == 25)
        #expect(
            try Self.cut("6h", "Europe/Madrid", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z") == [
                "2026-03-28T23:00:00Z+5h", "2026-03-29T04:00:00Z+6h", "2026-03-29T10:00:00Z+6h",
                "2026-03-29T16:00:00Z+6h",
            ])
        // Lord Howe Island moves by half an hour, and Santiago at midnight: its 2026-09-06 begins at one.
        #expect(try Self.cut("1d", "Australia/Lord_Howe", "2026-04-03T13:00:00Z", "2026-04-05T13:30:00Z")?.count == 2)
        #expect(
            try Self.cut("1d", "America/Santiago", "2026-09-05T04:00:00Z", "2026-09-07T03:00:00Z") == [
                "2026-09-05T04:00:00Z+24h", "2026-09-06T04:00:00Z+23h",
            ])
        // Weeks begin on Mondays.
        #expect(
            try Self.cut("1w", "Asia/Kolkata", "2026-11-20T00:00:00Z", "2026-11-24T00:00:00Z") == [
                "2026-11-20T00:00:00Z+66h", "2026-11-22T18:30:00Z+29h",
            ])
        #expect(try Self.cut("1s", "UTC", "2026-11-20T00:00:00Z", "2026-11-24T00:00:00Z") == nil)
        for step in ["7h", "36h", "500ms"] {
            let length = try #require(Step(step))
            #expect(LocalBuckets(length, zone: "UTC") == nil)
        }
    }
}

extension Occupancy {
    fileprivate var words: [String] { runs.map { "\($0.state.rawValue) \($0.span.lowerBound)-\($0.span.upperBound)" } }
}
