import Foundation
import Postgres
import Testing

@testable import Query

/// What can become of a reservation: by somebody's hand, and by time.
@Suite struct ReservationTableTests {
    private static let start = Timestamp(secondsSinceEpoch: 1_000_000)

    private static func reservation(
        _ status: Reservation.Status, checkedIn: Bool = false, expiresIn: Int64? = nil, updatedAfter: Int64 = -600
    ) -> Reservation {
        Reservation(
            status, from: start, to: start.adding(seconds: 3_600),
            expiresAt: expiresIn.map { start.adding(seconds: $0) },
            checkedInAt: checkedIn ? start : nil, updatedAt: start.adding(seconds: updatedAfter))
    }

    private static func outcome(
        _ step: ReservationStep, _ reservation: Reservation, at seconds: Int64
    ) -> String {
        do throws(ReservationStep.Refusal) {
            guard let after = try step.apply(to: reservation, at: start.adding(seconds: seconds)) else { return "same" }
            return after.status.rawValue + (after.checkedInAt == nil ? "" : "+")
        } catch {
            return error.code
        }
    }

    /// An hour from second 0; a step by each, at a time.
    @Test(
        arguments: [
            (.pending, ["confirmed", "cancelled", "invalid_status", "invalid_status"]),
            (.confirmed, ["same", "cancelled", "confirmed+", "completed"]),
            (.cancelled, ["invalid_status", "same", "invalid_status", "invalid_status"]),
            (.completed, ["invalid_status", "invalid_status", "invalid_status", "same"]),
            (.noShow, ["invalid_status", "invalid_status", "invalid_status", "invalid_status"]),
        ] as [(Reservation.Status, [String])])
    func steps(status: Reservation.Status, outcomes: [String]) {
        let found = ReservationStep.allCases.map { Self.outcome($0, Self.reservation(status), at: 60) }
        #expect(found == outcomes)
    }

    @Test func stepsHaveTheirTimes() {
        let confirmed = Self.reservation(.confirmed)
        #expect(Self.outcome(.checkIn, confirmed, at: -901) == "too_early")
        #expect(Self.outcome(.checkIn, confirmed, at: -900) == "confirmed+")
        #expect(Self.outcome(.checkIn, confirmed, at: 3_599) == "confirmed+")
        #expect(Self.outcome(.checkIn, confirmed, at: 3_600) == "over")
        #expect(Self.outcome(.checkIn, Self.reservation(.confirmed, checkedIn: true), at: 60) == "same")
        #expect(Self.outcome(.complete, confirmed, at: -1) == "too_early")
        #expect(Self.outcome(.complete, confirmed, at: 0) == "completed")
        #expect(Self.outcome(.confirm, Self.reservation(.pending, expiresIn: 60), at: 59) == "confirmed")
        #expect(Self.outcome(.confirm, Self.reservation(.pending, expiresIn: 60), at: 60) == "expired")
        #expect(Self.outcome(.confirm, Self.reservation(.pending), at: 3_600) == "over")
        #expect(Self.outcome(.cancel, confirmed, at: 1_800) == "cancelled")
    }

    private static func fate(
        _ reservation: Reservation, _ policy: ReservationPolicy = .init(), _ sensor: ReservationFate.Sensor = .none,
        at seconds: Int64
    ) -> String? {
        ReservationFate(of: reservation, policy, sensor, at: start.adding(seconds: seconds))
            .map { $0.status.rawValue + ($0.checkedInAt == nil ? "" : "+") }
    }

    @Test func timeDecides() {
        let confirmed = Self.reservation(.confirmed)
        #expect(Self.fate(confirmed, at: 899) == nil)
        #expect(Self.fate(confirmed, at: 900) == "no_show")
        #expect(Self.fate(confirmed, at: 100_000) == "no_show", "however late we look")
        #expect(Self.fate(Self.reservation(.confirmed, checkedIn: true), at: 3_599) == nil)
        #expect(Self.fate(Self.reservation(.confirmed, checkedIn: true), at: 3_600) == "completed+")
        #expect(Self.fate(Self.reservation(.pending, expiresIn: -60), at: -61) == nil)
        #expect(Self.fate(Self.reservation(.pending, expiresIn: -60), at: -60) == "cancelled")
        for status in [Reservation.Status.cancelled, .completed, .noShow] {
            #expect(Self.fate(Self.reservation(status), at: 100_000) == nil)
        }
        let never = ReservationPolicy(noShowAfter: 0)
        #expect(Self.fate(confirmed, never, at: 3_599) == nil)
        #expect(Self.fate(confirmed, never, at: 3_600) == "completed")
        // One that is over before anybody counts as late.
        let slow = ReservationPolicy(noShowAfter: 7_200)
        #expect(Self.fate(confirmed, slow, at: 3_599) == nil && Self.fate(confirmed, slow, at: 3_600) == "no_show")
        // One that was confirmed late.
        let late = Self.reservation(.confirmed, updatedAfter: 1_200)
        #expect(Self.fate(late, at: 2_099) == nil && Self.fate(late, at: 2_100) == "no_show")
    }

    @Test func aSensorDecidesWhereItIsAsked() {
        let (confirmed, policy) = (Self.reservation(.confirmed), ReservationPolicy(sensorCheckIn: true))
        let came = ReservationFate.Sensor.came(at: Self.start.adding(seconds: 60))
        #expect(Self.fate(confirmed, policy, came, at: 61) == "confirmed+")
        #expect(Self.fate(confirmed, policy, came, at: 100_000) == "completed+", "also when we look long after")
        #expect(
            Self.fate(confirmed, ReservationPolicy(noShowAfter: 0, sensorCheckIn: true), came, at: 61) == "confirmed+")
        #expect(Self.fate(confirmed, policy, .stayedFree, at: 899) == nil)
        #expect(Self.fate(confirmed, policy, .stayedFree, at: 900) == "no_show")
        #expect(Self.fate(confirmed, policy, .silent, at: 900) == nil, "nobody knows who came")
        #expect(Self.fate(confirmed, policy, .silent, at: 3_600) == "completed")
        #expect(Self.fate(confirmed, policy, .none, at: 900) == "no_show", "there is no sensor")
    }

    /// From the start to when somebody counts as late, as far as that has passed.
    @Test func theSensorsWordCountsForAWhile() {
        let (confirmed, policy) = (Self.reservation(.confirmed), ReservationPolicy(sensorCheckIn: true))
        func length(_ policy: ReservationPolicy, at seconds: Int64) -> Int64? {
            confirmed.arrival(policy, at: Self.start.adding(seconds: seconds)).map { $0.length / 1_000_000 }
        }
        #expect(length(policy, at: 0) == nil && length(policy, at: 60) == 60 && length(policy, at: 5_000) == 900)
        #expect(length(ReservationPolicy(noShowAfter: 0, sensorCheckIn: true), at: 5_000) == 900)
        #expect(length(ReservationPolicy(), at: 60) == nil)
        let checkedIn = Self.reservation(.confirmed, checkedIn: true)
        #expect(checkedIn.arrival(policy, at: Self.start.adding(seconds: 60)) == nil)
    }
}

extension Reservation {
    fileprivate init(
        _ status: Status, from start: Timestamp, to end: Timestamp, expiresAt: Timestamp?, checkedInAt: Timestamp?,
        updatedAt: Timestamp
    ) {
        self.init(
            id: UUID(), spaceID: UUID(), siteID: UUID(), startsAt: start, endsAt: end, status: status,
            holder: Holder(userID: nil, name: "Ana", email: nil, phone: nil), note: nil, requestID: nil,
            expiresAt: expiresAt, checkedInAt: checkedInAt, createdAt: updatedAt, updatedAt: updatedAt)
    }
}
