import Postgres
import Shared
import Support
import Testing

@testable import Ingest

@Suite struct SpoolStateTests {
    private static let limits = SpoolState.Limits(bytes: 1_000, segmentBytes: 100)

    private func segment(_ number: UInt64, bytes: Int = 10) -> SpoolState.Segment {
        .init(name: .init(number: number, marker: number), bytes: bytes, records: 1, oldest: Timestamp(microseconds: 5))
    }

    @Test func aSegmentIsAppendedToUntilItIsLargeEnough() {
        var state = SpoolState(limits: Self.limits)
        let first = state.place(marker: 7)
        state.appended(bytes: 99, records: 3, oldest: Timestamp(microseconds: 50))
        #expect(state.place(marker: 8) == first)
        state.appended(bytes: 30, records: 1, oldest: Timestamp(microseconds: 60))
        let second = state.place(marker: 9)
        #expect(second == SpoolSegmentName(number: 2, marker: 9))
        #expect(state.segments.map(\.bytes) == [129, 0])
        #expect(state.room == 871 && state.records == 4 && state.oldest == Timestamp(microseconds: 50))
    }

    /// What a process before left may end in the middle of a record: nothing is appended to it, and its numbers are not used again.
    @Test func whatWasFoundIsDrainedFirstAndNotAppendedTo() {
        var state = SpoolState(limits: Self.limits, found: [segment(9), segment(4)])
        #expect(state.place(marker: 1).number == 10)
        state.appended(bytes: 10, records: 1, oldest: Timestamp(microseconds: 1))
        var drained: [UInt64] = []
        while let next = state.next() {
            drained.append(next.name.number)
            state.remove(next.name)
        }
        #expect(drained == [4, 9, 10])
        #expect(!state.isOpen && state.bytes == 0)
        #expect(state.place(marker: 1).number == 11)
    }

    @Test func anOpenSegmentIsClosedToBeDrained() {
        var state = SpoolState(limits: Self.limits)
        let first = state.place(marker: 1)
        #expect(state.next() == nil, "nothing is in it")
        state.appended(bytes: 10, records: 1, oldest: Timestamp(microseconds: 1))
        #expect(state.next()?.name == first)
        #expect(state.place(marker: 2) != first)
    }

    @Test func aSegmentThatFailedIsAppendedToNoMore() {
        var state = SpoolState(limits: Self.limits)
        let first = state.place(marker: 1)
        state.appended(bytes: 10, records: 1, oldest: Timestamp(microseconds: 1))
        state.close()
        #expect(state.place(marker: 2) != first)
        #expect(state.next()?.name == first)
    }
}
