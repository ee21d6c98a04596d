import Foundation
import Postgres
import Testing

@testable import Query

/// What can become of a reservation: by somebody's hand, and by time.
@Suite struct ReservationTableTests {
    private static let start = Timestamp(secondsSinceEpoch: 1_000_000)

    private static func reservation(
        _ status: Reservation.Status, checkedIn: Bool = false, expiresIn: Int64? = nil
    ) -> Reservation {
        Reservation(
            status, from: start, to: start.adding(seconds: 3_600),
            expiresAt: expiresIn.map { start.adding(seconds: $0) },
            checkedInAt: checkedIn ? start : nil)
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
        #expect(Self.outcome(.cancel, confirmed, at: 1_800) == "cancelled")
    }

    private static func fate(
        _ reservation: Reservation, _ policy: ReservationPolicy = .init(), state: Space.State = .free,
        sensor: Bool = true,
        at seconds: Int64
    ) -> String? {
        let found = ReservationFate(
            of: reservation, policy, .init(state: state, since: start.adding(seconds: -60), isThere: sensor),
            at: start.adding(seconds: seconds))
        return found.map { $0.status.rawValue + ($0.checkedInAt == nil ? "" : "+") }
    }

    @Test func timeDecides() {
        let confirmed = Self.reservation(.confirmed)
        #expect(Self.fate(confirmed, at: 899) == nil)
        #expect(Self.fate(confirmed, at: 900) == "no_show")
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
        // A sensor is not asked unless the tenant wants it.
        #expect(Self.fate(confirmed, state: .occupied, at: 60) == nil)
    }

    @Test func aSensorDecidesWhereTheTenantWantsIt() {
        let (confirmed, policy) = (Self.reservation(.confirmed), ReservationPolicy(sensorCheckIn: true))
        #expect(Self.fate(confirmed, policy, state: .occupied, at: -1) == nil)
        #expect(Self.fate(confirmed, policy, state: .occupied, at: 0) == "confirmed+")
        #expect(Self.fate(confirmed, policy, state: .free, at: 899) == nil)
        #expect(Self.fate(confirmed, policy, state: .free, at: 900) == "no_show")
        #expect(Self.fate(confirmed, policy, state: .unknown, at: 900) == nil, "nobody knows who came")
        #expect(Self.fate(confirmed, policy, state: .unknown, at: 3_600) == "completed")
        #expect(Self.fate(confirmed, policy, state: .unknown, sensor: false, at: 900) == "no_show")
        let checked = ReservationFate(
            of: confirmed, policy, .init(state: .occupied, since: Self.start.adding(seconds: -60), isThere: true),
            at: Self.start.adding(seconds: 5))
        #expect(checked?.checkedInAt == Self.start, "not before it began")
    }
}

extension Reservation {
    fileprivate init(
        _ status: Status, from start: Timestamp, to end: Timestamp, expiresAt: Timestamp?, checkedInAt: Timestamp?
    ) {
        self.init(
            id: UUID(), spaceID: UUID(), siteID: UUID(), startsAt: start, endsAt: end, status: status,
            holder: Holder(userID: nil, name: "Ana", email: nil, phone: nil), note: nil, requestID: nil,
            expiresAt: expiresAt, checkedInAt: checkedInAt, createdAt: start, updatedAt: start)
    }
}
