import Postgres
import Shared

/// What time makes of a reservation when nobody does anything: a pure table.
struct ReservationFate: Sendable, Equatable {
    let status: Reservation.Status
    let checkedInAt: Timestamp?
    let action: AuditEntry.Action

    /// What the space's sensor says now.
    struct Sensor: Sendable {
        let state: Space.State
        let since: Timestamp?
        /// False for a space without one.
        let isThere: Bool
    }

    /// - Returns: nil for one that goes on as it is.
    init?(of reservation: Reservation, _ policy: ReservationPolicy, _ sensor: Sensor, at now: Timestamp) {
        let isCheckedIn = reservation.checkedInAt != nil
        switch reservation.status {
        case .pending:
            guard let expiresAt = reservation.expiresAt, expiresAt <= now else { return nil }
            self.init(status: .cancelled, checkedInAt: nil, action: .reservationExpired)
        case .confirmed where isCheckedIn || policy.noShowAfter == 0:
            guard reservation.endsAt <= now else { return nil }
            self.init(status: .completed, checkedInAt: reservation.checkedInAt, action: .reservationCompleted)
        case .confirmed:
            guard reservation.startsAt <= now else { return nil }
            if policy.sensorCheckIn, sensor.state == .occupied, now < reservation.endsAt {
                let since = max(reservation.startsAt, sensor.since ?? reservation.startsAt)
                self.init(status: .confirmed, checkedInAt: min(since, now), action: .reservationCheckedIn)
            } else if policy.sensorCheckIn, sensor.isThere, sensor.state == .unknown {
                // Who relies on a sensor that is silent is not held to have stayed away.
                guard reservation.endsAt <= now else { return nil }
                self.init(status: .completed, checkedInAt: nil, action: .reservationCompleted)
            } else {
                guard reservation.startsAt.adding(seconds: policy.noShowAfter) <= now else { return nil }
                self.init(status: .noShow, checkedInAt: nil, action: .reservationMissed)
            }
        case .cancelled, .completed, .noShow: return nil
        }
    }

    private init(status: Reservation.Status, checkedInAt: Timestamp?, action: AuditEntry.Action) {
        (self.status, self.checkedInAt, self.action) = (status, checkedInAt, action)
    }
}
