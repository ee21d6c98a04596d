import Postgres
import Shared

/// What time makes of a reservation when nobody does anything: a pure table.
struct ReservationFate: Sendable, Equatable {
    let status: Reservation.Status
    let checkedInAt: Timestamp?
    let action: AuditEntry.Action

    /// What the space's sensor said from the start on, for as long as somebody may be late.
    enum Sensor: Sendable, Equatable {
        /// Not asked, or there is none.
        case none
        case came(at: Timestamp)
        case stayedFree
        /// It said nothing.
        case silent
    }

    /// - Returns: nil for one that goes on as it is.
    init?(of reservation: Reservation, _ policy: ReservationPolicy, _ sensor: Sensor, at now: Timestamp) {
        switch reservation.status {
        case .pending:
            guard reservation.hasExpired(at: now) else { return nil }
            self.init(status: .cancelled, action: .reservationExpired)
        case .confirmed:
            guard let fate = Self.ofConfirmed(reservation, policy, sensor, at: now) else { return nil }
            self = fate
        case .cancelled, .completed, .noShow: return nil
        }
    }

    private static func ofConfirmed(
        _ reservation: Reservation, _ policy: ReservationPolicy, _ sensor: Sensor, at now: Timestamp
    ) -> ReservationFate? {
        let isOver = reservation.endsAt <= now
        if reservation.checkedInAt == nil, case .came(let at) = sensor {
            return ReservationFate(
                status: isOver ? .completed : .confirmed, checkedInAt: at,
                action: isOver ? .reservationCompleted : .reservationCheckedIn)
        }
        // Who relies on a sensor that is silent is not held to have stayed away.
        let isHeldToCome = reservation.checkedInAt == nil && policy.noShowAfter > 0 && sensor != .silent
        if isHeldToCome, reservation.lateFrom(policy) <= now {
            return ReservationFate(status: .noShow, action: .reservationMissed)
        }
        guard isOver, !isHeldToCome else { return nil }
        return ReservationFate(
            status: .completed, checkedInAt: reservation.checkedInAt, action: .reservationCompleted)
    }

    private init(status: Reservation.Status, checkedInAt: Timestamp? = nil, action: AuditEntry.Action) {
        (self.status, self.checkedInAt, self.action) = (status, checkedInAt, action)
    }
}

extension Reservation {
    /// When whoever has not come does not come any more: counted from the start or, where that was later, from when it was confirmed or
    /// changed.
    fileprivate func lateFrom(_ policy: ReservationPolicy) -> Timestamp {
        min(max(startsAt, updatedAt).adding(seconds: policy.noShowAfter), endsAt)
    }

    /// Seconds from the start in which a sensor checks in where nobody is ever late.
    private static let usualArrival: Int64 = 15 * 60

    /// The time in which the sensor's word counts; nil before it, and where it is not asked.
    func arrival(_ policy: ReservationPolicy, at now: Timestamp) -> Range<Timestamp>? {
        guard policy.sensorCheckIn, status == .confirmed, checkedInAt == nil else { return nil }
        let length = policy.noShowAfter > 0 ? min(policy.noShowAfter, 86_400) : Self.usualArrival
        let end = min(max(startsAt, updatedAt).adding(seconds: length), endsAt, now)
        return startsAt < end ? startsAt..<end : nil
    }
}
