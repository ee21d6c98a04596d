import Foundation
import Postgres
import Testing

@testable import Query

struct DeliveryPlanTests {
    private let plan = DeliveryPlan()
    private let now = Timestamp(secondsSinceEpoch: 1_767_571_200)

    private func step(
        _ outcome: SendOutcome, attempt: Int = 1, left: Int = 259_200, jitter: Double = 0
    ) -> DeliveryPlan.Step {
        plan.step(after: outcome, attempt: attempt, at: now, until: now.adding(seconds: left), jitter: jitter)
    }

    @Test func pausesGrow() {
        let pauses = [5, 30, 300, 1_800, 7_200, 18_000, 36_000, 43_200, 43_200, 43_200]
        for (index, pause) in pauses.enumerated() {
            let outcome = SendOutcome.failed("time-out")
            #expect(step(outcome, attempt: index + 1) == .pending(now.adding(seconds: pause)))
            let late = step(outcome, attempt: index + 1, jitter: 1)
            #expect(late == .pending(now.adding(milliseconds: pause * 1_100)))
        }
    }

    @Test func afterThreeDaysItIsOver() {
        var (at, attempts) = (now, 0)
        let end = now.adding(seconds: 259_200)
        while case .pending(let next) = plan.step(
            after: .failed("status 500"), attempt: attempts + 1, at: at, until: end, jitter: 0.5)
        {
            (at, attempts) = (next, attempts + 1)
        }
        #expect(attempts == 11 && at <= end && at > end.adding(seconds: -46_800))
        #expect(step(.failed("x"), attempt: 1, left: 4) == .dead)
    }

    @Test func whatIsTakenOrRefusedIsOverAtOnce() {
        #expect(step(.taken(status: 204)) == .delivered)
        #expect(step(.gone) == .dead && step(.refused("no")) == .dead)
    }

    @Test func aLongerWishToWaitIsGranted() {
        #expect(step(.failed("", retryAfter: .seconds(60))) == .pending(now.adding(seconds: 60)))
        #expect(step(.failed("", retryAfter: .seconds(1))) == .pending(now.adding(seconds: 5)))
        #expect(step(.failed("", retryAfter: .seconds(60)), left: 59) == .dead)
    }

    @Test func retryAfterIsSecondsOrADate() {
        for (text, seconds) in [
            ("120", 120), (" 7 ", 7), ("999999", 86_400), ("Mon, 05 Jan 2026 00:01:00 GMT", 60),
            ("Monday, 05-Jan-26 00:01:00 GMT", 60), ("Mon Jan  5 00:01:00 2026", 60),
            ("Fri, 01 Jan 2038 00:00:00 GMT", 86_400),
        ] {
            #expect(RetryAfter(text, at: now)?.pause == .seconds(seconds), "\(text)")
        }
        for text in ["", "0", "-5", "soon", "Sun, 04 Jan 2026 00:00:00 GMT", "1.5"] {
            #expect(RetryAfter(text, at: now) == nil, "\(text)")
        }
    }
}
