import Foundation
import Hummingbird
import Postgres
import Shared

/// What a client says of a reservation.
struct ReservationFields: Sendable {
    /// Whom a client names; what is missing of a member is known.
    struct Holder: Sendable {
        let userID: UUID?
        let name, email, phone: String?
    }

    let spaceID: UUID
    let startsAt, endsAt: Timestamp
    /// Pending or confirmed.
    let status: Reservation.Status
    /// Nil: whoever asks.
    let holder: Holder?
    let note: String?
    let requestID: String?

    var span: Range<Timestamp> { startsAt..<endsAt }

    /// - Parameter standing: the reservation that becomes this; nil for a new one.
    /// - Throws: `Problem` 422.
    init(_ body: inout JSONBody, standing: Reservation?, at now: Timestamp) throws {
        body.skip("id", "site_id", "expires_at", "checked_in_at", "created_at", "updated_at")
        spaceID = body.required("space_id") { $0.id($1) } ?? UUID()
        let startsAt = body.required("starts_at") { $0.time($1) } ?? now
        let endsAt = body.required("ends_at") { $0.time($1) } ?? now
        // Where either is missing that is fault enough.
        if startsAt >= endsAt, startsAt != now || endsAt != now {
            body.refuse("starts_at", "empty_span", "Must be before ends_at.")
        }
        if endsAt > startsAt.adding(seconds: Reservation.longest) {
            body.refuse("ends_at", "too_long", "A reservation has 30 days at most.")
        }
        if let standing, let field = Self.past(startsAt..<max(startsAt, endsAt), since: standing, at: now) {
            body.refuse(field, "in_the_past", "Must not lie in the past.")
        }
        (self.startsAt, self.endsAt) = (startsAt, max(startsAt, endsAt))
        status = body.status("status", standing: standing?.status)
        holder = body.nested("holder") { $0.holder() }
        note = body.note("note")
        requestID = body.requestID("request_id")
        if let standing, requestID != standing.requestID {
            body.refuse("request_id", "immutable", "This is of its creation.")
        }
        try body.check()
    }
}

extension ReservationFields {
    /// The field that lies in the past, but for some minutes of grace, and did not before.
    private static func past(_ span: Range<Timestamp>, since standing: Reservation?, at now: Timestamp) -> String? {
        let earliest = now.adding(seconds: -Reservation.grace)
        if span.lowerBound != standing?.startsAt, span.lowerBound < earliest { return "starts_at" }
        return span.upperBound != standing?.endsAt && span.upperBound < earliest ? "ends_at" : nil
    }

    /// Apart from the rest: what was booked in time is answered to whoever asks again later.
    /// - Throws: `Problem` 422.
    func checkIsToCome(at now: Timestamp) throws {
        guard let field = Self.past(span, since: nil, at: now) else { return }
        throw Problem.unprocessable([.init(field: field, code: "in_the_past", detail: "Must not lie in the past.")])
    }
}

extension JSONBody {
    fileprivate mutating func status(_ name: String, standing: Reservation.Status?) -> Reservation.Status {
        let status: Reservation.Status? = word(name)
        if let standing {
            if let status, status != standing {
                refuse(name, "immutable", "POST …/confirm, /cancel, /check-in and /complete change it.")
            }
            return standing
        }
        if let status, !status.holdsPlace { refuse(name, "not_allowed", "A new one is pending or confirmed.") }
        return status ?? .confirmed
    }

    fileprivate mutating func holder() -> ReservationFields.Holder {
        let userID = id("user_id")
        let name = userID == nil ? required("name") { $0.name($1) } : name()
        return .init(userID: userID, name: name, email: email(), phone: phone("phone"))
    }
}
