import Postgres
import Shared

/// What can become of a reservation, and when: a pure table.
enum ReservationStep: Sendable, CaseIterable {
    case confirm, cancel, checkIn, complete

    /// Seconds before its start from which somebody may check in.
    static let earliestCheckIn: Int64 = 15 * 60

    /// Why not, for the client.
    struct Refusal: Error, Equatable {
        let code: String
        let detail: String
    }

    /// - Returns: the reservation afterwards; nil where it is so already.
    func apply(to reservation: Reservation, at now: Timestamp) throws(Refusal) -> Reservation? {
        var after = reservation
        switch (self, reservation.status) {
        case (.confirm, .pending):
            guard !reservation.hasExpired(at: now) else {
                throw Refusal(code: "expired", detail: "It was not confirmed in time.")
            }
            guard now < reservation.endsAt else { throw Refusal(code: "over", detail: "Its time is over.") }
            after.status = .confirmed
        case (.cancel, .pending), (.cancel, .confirmed):
            after.status = .cancelled
        case (.checkIn, .confirmed):
            if reservation.checkedInAt != nil { return nil }
            guard now >= reservation.startsAt.adding(seconds: -Self.earliestCheckIn) else {
                throw Refusal(code: "too_early", detail: "Checking in begins 15 minutes before the start.")
            }
            guard now < reservation.endsAt else { throw Refusal(code: "over", detail: "Its time is over.") }
            after.checkedInAt = now
        case (.complete, .confirmed):
            guard now >= reservation.startsAt else {
                throw Refusal(code: "too_early", detail: "It has not begun; cancel it instead.")
            }
            after.status = .completed
        case (.confirm, .confirmed), (.cancel, .cancelled), (.complete, .completed):
            return nil
        case (_, let status):
            throw Refusal(code: "invalid_status", detail: "This can't be done: it is \(status.rawValue).")
        }
        return after
    }

    /// As the audit log calls it.
    var action: AuditEntry.Action {
        switch self {
        case .confirm: .reservationConfirmed
        case .cancel: .reservationCancelled
        case .checkIn: .reservationCheckedIn
        case .complete: .reservationCompleted
        }
    }

    /// The last part of its path.
    var path: String {
        switch self {
        case .confirm: "confirm"
        case .cancel: "cancel"
        case .checkIn: "check-in"
        case .complete: "complete"
        }
    }
}
