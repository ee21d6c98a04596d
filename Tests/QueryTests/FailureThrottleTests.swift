import Testing

@testable import Query

@Suite struct FailureThrottleTests {
    private static let account: [FailureThrottle.Subject] = [.account("a@example.com"), .address("192.0.2.1")]
    private let start = ContinuousClock.now

    @Test func tenFailuresAreFreeThenWaitsDouble() {
        var throttle = FailureThrottle()
        for _ in 0..<10 { #expect(throttle.attempt(Self.account, now: start) == nil) }
        var now = start
        for wait in [1, 2, 4, 8, 16, 32, 60, 60] {
            #expect(throttle.attempt(Self.account, now: now) == .seconds(wait))
            now += .seconds(wait)
            #expect(throttle.attempt(Self.account, now: now) == nil)
        }
    }

    @Test func aQuarterOfAnHourForgets() {
        var throttle = FailureThrottle()
        for _ in 0..<10 { _ = throttle.attempt(Self.account, now: start) }
        #expect(throttle.attempt(Self.account, now: start + .milliseconds(500)) != nil)
        #expect(throttle.attempt(Self.account, now: start + .seconds(900)) == nil)
    }

    @Test func whatCouldNotBeDecidedIsNoFailure() {
        var throttle = FailureThrottle()
        for _ in 0..<50 {
            #expect(throttle.attempt(Self.account, now: start) == nil)
            throttle.withdraw(Self.account)
        }
        #expect(throttle.count == 0)
    }

    /// Who tries many accounts from one address is slowed down even though one of them is their own.
    @Test func successClearsTheAccountAndNotTheAddress() {
        var throttle = FailureThrottle()
        for number in 0..<9 {
            _ = throttle.attempt([.account("victim\(number)"), .address("192.0.2.1")], now: start)
        }
        let own: [FailureThrottle.Subject] = [.account("own"), .address("192.0.2.1")]
        for _ in 0..<5 {
            #expect(throttle.attempt(own, now: start) == nil)
            throttle.forgive(own)
        }
        #expect(throttle.attempt([.account("victim10"), .address("192.0.2.1")], now: start) == nil)
        #expect(throttle.attempt([.account("victim11"), .address("192.0.2.1")], now: start) != nil)
        #expect(throttle.attempt([.account("victim11"), .address("192.0.2.2")], now: start) == nil)
    }

    @Test func memoryIsBounded() {
        var throttle = FailureThrottle(.init(capacity: 100))
        for number in 0..<10_000 {
            _ = throttle.attempt([.account("\(number)")], now: start + .milliseconds(number))
        }
        #expect(throttle.count <= 100)
    }
}
