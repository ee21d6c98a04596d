import Testing

@testable import Shared

struct TokenBucketTests {
    private let start = ContinuousClock.now

    @Test func theBurstIsTakenAtOnceThenTheRateHolds() {
        var bucket = TokenBucket(rate: 10, burst: 3, now: start)
        for _ in 0..<3 { #expect(bucket.take(at: start) == nil) }
        #expect(bucket.take(at: start) == 0.1)
        #expect(bucket.take(at: start + .milliseconds(100)) == nil)
        #expect(bucket.take(at: start + .milliseconds(100)) != nil)
    }

    @Test func itNeverSavesMoreThanItsBurst() {
        var bucket = TokenBucket(rate: 10, burst: 2, now: start)
        let later = start + .seconds(1_000)
        #expect(bucket.isFull(at: later))
        #expect(bucket.take(at: later) == nil)
        #expect(bucket.take(at: later) == nil)
        #expect(bucket.take(at: later) != nil)
    }

    @Test func manyAreTakenTogetherOrNotAtAll() {
        var bucket = TokenBucket(rate: 100, burst: 1_000, now: start)
        #expect(bucket.take(1_000, at: start) == nil)
        #expect(bucket.take(1_000, at: start + .seconds(1)) == 9, "and it says for how long")
        #expect(bucket.take(1_000, at: start + .seconds(10)) == nil, "what was refused took nothing")
    }

    @Test func aClockThatGoesBackGivesNothing() {
        var bucket = TokenBucket(rate: 10, burst: 1, now: start)
        #expect(bucket.take(at: start) == nil)
        #expect(bucket.take(at: start - .seconds(5)) != nil)
        #expect(bucket.take(at: start) != nil)
    }
}
