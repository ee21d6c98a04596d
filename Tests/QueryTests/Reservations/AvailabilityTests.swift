import Postgres
import Support
import Testing

@testable import Query

@Suite struct AvailabilityTests {
    private func spans(_ pairs: [(Int64, Int64)]) -> [Range<Timestamp>] {
        pairs.map { Timestamp(microseconds: $0.0)..<Timestamp(microseconds: $0.1) }
    }

    private func slots(open: [(Int64, Int64)], busy: [(Int64, Int64)], _ duration: Int64) -> [[Int64]] {
        Availability(open: spans(open), busy: spans(busy)).slots(of: duration)
            .map { [$0.lowerBound.microseconds, $0.upperBound.microseconds] }
    }

    @Test func whatIsOpenAndNobodysIsFree() {
        #expect(slots(open: [(0, 10)], busy: [], 1) == [[0, 10]])
        #expect(slots(open: [(0, 10)], busy: [(2, 4), (4, 5)], 1) == [[0, 2], [5, 10]])
        #expect(slots(open: [(0, 10)], busy: [(2, 4)], 3) == [[4, 10]])
        #expect(slots(open: [(0, 10)], busy: [(-5, 20)], 1) == [])
        #expect(
            slots(open: [(0, 4), (4, 10)], busy: [(3, 5)], 1) == [[0, 3], [5, 10]], "openings that touch are one")
        #expect(slots(open: [(20, 30), (0, 10)], busy: [(5, 25)], 1) == [[0, 5], [25, 30]])
        #expect(slots(open: [], busy: [], 1) == [])
    }

    /// Both ends of a stay must lie inside opening hours; what is between them need not.
    @Test func longStaysSpanClosedHours() {
        let days: [(Int64, Int64)] = [(8, 20), (32, 44), (56, 68)]
        #expect(slots(open: days, busy: [], 24) == [[8, 32], [32, 56]])
        #expect(slots(open: days, busy: [], 12) == [[8, 20], [32, 44], [56, 68]], "what is long enough is itself")
        #expect(slots(open: days, busy: [], 13) == [[19, 32], [43, 56]], "from the evening to the morning")
        #expect(slots(open: days, busy: [(25, 26)], 14) == [[42, 56]])
        #expect(slots(open: days, busy: [(18, 19)], 13) == [[19, 32], [43, 56]])
        #expect(slots(open: days, busy: [(18, 20)], 13) == [[43, 56]])
        #expect(slots(open: [(0, 10)], busy: [], 11) == [])
        // A long opening elsewhere takes nothing away.
        #expect(slots(open: [(8, 20), (32, 44), (100, 200)], busy: [], 16) == [[16, 32], [100, 200]])
        // Over lunch.
        #expect(slots(open: [(8, 12), (13, 20)], busy: [], 5) == [[8, 13], [13, 20]])
    }

    @Test func othersAreOfferedNearby() {
        let availability = Availability(open: spans([(0, 100)]), busy: spans([(40, 60)]))
        let wanted = Timestamp(microseconds: 45)..<Timestamp(microseconds: 55)
        let offered = availability.nearest(to: wanted, count: 5).map {
            [$0.lowerBound.microseconds, $0.upperBound.microseconds]
        }
        #expect(offered == [[30, 40], [60, 70]])
    }

    /// Against one instant after the other: each stretch that is long enough, and of each other the earliest stay that is admitted.
    @Test func slotsAreWhatEachInstantSays() {
        var random = SplitMix(state: 11)
        for _ in 0..<3_000 {
            let open = (0..<Int.random(in: 0...4, using: &random)).map { _ in Self.span(&random) }
            let busy = (0..<Int.random(in: 0...5, using: &random)).map { _ in Self.span(&random) }
            let duration = Int64.random(in: 1...20, using: &random)
            let united = Self.united(open)
            let isBusy = { (at: Int64) in busy.contains { $0.0 <= at && at < $0.1 } }
            let isFree = { (at: Int64) in united.contains { $0.0 <= at && at < $0.1 } && !isBusy(at) }
            var expected: [[Int64]] = []
            var start: Int64?
            for at in Int64(0)...40 {
                if at < 40, isFree(at), start == nil || isFree(at - 1) {
                    start = start ?? at
                } else if let from = start {
                    start = at < 40 && isFree(at) ? at : nil
                    if at - from >= duration {
                        expected.append([from, at])
                    } else if let stay = (from..<at).first(where: { begin in
                        united.contains { $0.0 <= begin + duration && begin + duration <= $0.1 }
                            && !(begin..<(begin + duration)).contains(where: isBusy)
                    }) {
                        expected.append([stay, stay + duration])
                    }
                }
            }
            #expect(slots(open: open, busy: busy, duration) == expected, "\(open) \(busy) \(duration)")
        }
    }

    private static func span(_ random: inout SplitMix) -> (Int64, Int64) {
        let start = Int64.random(in: 0..<39, using: &random)
        return (start, Int64.random(in: (start + 1)...40, using: &random))
    }

    private static func united(_ spans: [(Int64, Int64)]) -> [(Int64, Int64)] {
        spans.sorted { $0.0 < $1.0 }.reduce(into: []) { united, span in
            if let last = united.last, span.0 <= last.1 {
                united[united.count - 1] = (last.0, max(last.1, span.1))
            } else {
                united.append(span)
            }
        }
    }
}
