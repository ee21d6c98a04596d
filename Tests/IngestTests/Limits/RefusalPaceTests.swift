import Testing

@testable import Ingest

struct RefusalPaceTests {
    private let start = ContinuousClock.now

    /// However many ask at once, their refusals leave at the rate.
    @Test func refusalsLeaveOneAfterTheOther() {
        var pace = RefusalPace(rate: 10, now: start)
        #expect((0..<4).map { _ in pace.delay(at: start) } == [0, 100, 200, 300].map { .milliseconds($0) })
        #expect(pace.delay(at: start + .milliseconds(350)) == .milliseconds(50))
        #expect(pace.delay(at: start + .seconds(10)) == .zero)
    }

    @Test func nobodyWaitsForLong() {
        var pace = RefusalPace(rate: 10, now: start)
        let delays = (0..<1_000).map { _ in pace.delay(at: start) }
        #expect(delays.max() == .seconds(1))
        #expect(pace.delay(at: start + .seconds(2)) == .zero)
    }
}
