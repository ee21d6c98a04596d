import Algorithms
import Foundation
import Postgres
import Shared

/// Books and moves. Who books a space first has it: bookings of one space take turns by its row, and beneath that a constraint keeps
/// overlaps out.
struct Booking: Sendable {
    /// Seconds around a stay that can't be had, in which others are offered.
    private static let lookAround: Int64 = 7 * 86_400
    private static let offers = 5

    let context: TenantContext
    let trail: AuditTrail
    let now: Timestamp

    private var scope: TenantScope { context.scope }

    /// - Parameter key: what makes booking it twice booking it once.
    /// - Throws: `Problem` 409 `reservation_conflict`, 422.
    func book(_ wanted: ReservationFields, key: String?, in tx: TenantTransaction) async throws -> Reservation {
        try wanted.checkIsToCome(at: now)
        try await makeWay(in: wanted, in: tx)
        let holder = try await wanted.holder(context, in: tx)
        let policy = try await tx.written(ReservationPolicy.find(tx.tenantID))
        let expiresAt = wanted.status == .pending ? now.adding(seconds: policy.pendingTimeout) : nil
        let id = UUID.v7()
        let insert = Reservation.insert(id, wanted, for: holder, key: key, expiresAt: expiresAt, into: tx.tenantID)
        guard try await tx.run(insert) == 1 else {
            throw try await conflict(with: wanted, except: nil) { try await tx.all($0) }
        }
        let made = try await tx.written(Reservation.find(id, in: scope))
        var commands = [trail.created(.reservationCreated, made)]
        // Who waits for confirmed ones need not know that most are so from the first.
        if made.status == .confirmed { commands.append(trail.told("reservation.confirmed", of: made)) }
        try await tx.run(all: commands)
        return made
    }

    /// Time, space and whatever else is wanted otherwise, in one statement under the constraint. Spaces are locked before reservations, as by
    /// whoever deletes one.
    ///
    /// - Parameters:
    ///   - standing: the reservation as it was seen a moment ago.
    ///   - wish: what is wanted of it as it is.
    /// - Throws: `Problem` 409, 422; `PostgresError` 23P01 where somebody else holds the place.
    func move(
        _ standing: Reservation, _ wish: (Reservation) throws -> ReservationFields, in tx: TenantTransaction
    ) async throws -> Reservation {
        let hoped = try wish(standing)
        try standing.mayChange(at: now)
        let isMoved = hoped.differs(from: standing)
        if isMoved { try await makeWay(in: hoped, in: tx) }
        let before = try await tx.found(Reservation.lock(standing.id, in: scope), "reservation")
        let wanted = try wish(before)
        try before.mayChange(at: now)
        guard wanted.spaceID == hoped.spaceID, wanted.span == hoped.span, isMoved || !wanted.differs(from: before)
        else {
            throw Problem.changedMeanwhile
        }
        let holder =
            if let same = wanted.holder(instead: before.holder) { same } else {
                try await wanted.holder(context, in: tx)
            }
        try await tx.run(Reservation.update(before.id, wanted, for: holder, in: tx.tenantID))
        let after = try await tx.written(Reservation.find(before.id, in: scope))
        try await tx.run(trail.changed(.reservationChanged, before, after))
        return after
    }

    /// Locks the space, holds the wish against its rules, and takes the places of those back who did not confirm in time.
    private func makeWay(in wanted: ReservationFields, in tx: TenantTransaction) async throws {
        guard let space = try await tx.first(BookedSpace.lock(wanted.spaceID, for: wanted.span, in: scope)) else {
            throw Problem.unknown("space_id", "space")
        }
        try space.check()
        let expired = try await tx.all(Reservation.expired(of: wanted.spaceID, at: now, in: tx.tenantID))
        try await tx.run(all: expired.flatMap { $0.expire(trail, in: tx.tenantID) })
    }

    /// With what is free around, and not a word on who has the place.
    func conflict(
        with wanted: ReservationFields, except: UUID?,
        _ read: (Statement<SpaceCalendar>) async throws -> [SpaceCalendar]
    ) async throws -> Problem {
        let from = max(now, wanted.startsAt.adding(seconds: -Self.lookAround))
        let around = from..<max(from, wanted.endsAt).adding(seconds: Self.lookAround)
        let calendar = try await read(SpaceCalendar.of(space: wanted.spaceID, around, except: except, in: scope)).first
        let offers = calendar?.availability.nearest(to: wanted.span, count: Self.offers) ?? []
        var problem = Problem.conflict("reservation_conflict", detail: "Somebody else has this place then.")
        problem.members["free_slots"] = offers.map {
            ["starts_at": $0.lowerBound.rfc3339, "ends_at": $0.upperBound.rfc3339]
        }
        return problem
    }
}

extension Reservation {
    /// Whether it is a pending one whose place others may have.
    func hasExpired(at now: Timestamp) -> Bool { expiresAt.map { $0 <= now } ?? false }

    /// - Throws: `Problem` 409 for one that is over in whatever way.
    fileprivate func mayChange(at now: Timestamp) throws {
        guard status.holdsPlace else {
            throw Problem.conflict("invalid_status", detail: "This can't be changed: it is \(status.rawValue).")
        }
        guard !hasExpired(at: now) else {
            throw Problem.conflict("expired", detail: "It was not confirmed in time.")
        }
    }

    /// A pending one that nobody confirmed in time gives its place up.
    func expire(_ trail: AuditTrail, in tenant: TenantID) -> [Command] {
        var after = self
        after.status = .cancelled
        return [after.settle(in: tenant), trail.changed(.reservationExpired, self, after)]
    }

    /// Makes spaces, whose rows are locked, free of reservations that have not ended.
    ///
    /// - Parameter cancels: else they stand against it.
    /// - Throws: `Problem` 409 `has_reservations`.
    static func clear(
        _ spaces: [UUID], cancels: Bool, _ trail: AuditTrail, in tx: TenantTransaction
    ) async throws {
        let now = Timestamp.now()
        let (open, expired) = try await tx.all(open(of: spaces, in: tx.tenantID)).partitioned { $0.hasExpired(at: now) }
        try await tx.run(all: expired.flatMap { $0.expire(trail, in: tx.tenantID) })
        guard cancels || open.isEmpty else {
            throw Problem.conflict(
                "has_reservations",
                detail: "There are \(open.count) reservations to come: cancel_reservations=true cancels them.")
        }
        let cancelled = try open.compactMap { one in
            try ReservationStep.cancel.apply(to: one, at: now).map { (before: one, after: $0) }
        }
        try await tx.run(
            all: cancelled.flatMap { one in
                [one.after.settle(in: tx.tenantID), trail.changed(.reservationCancelled, one.before, one.after)]
            })
    }
}

extension ReservationFields {
    /// In place or time.
    fileprivate func differs(from reservation: Reservation) -> Bool {
        spaceID != reservation.spaceID || span != reservation.span
    }

    /// The member who holds it already, as they are known already but for what is said anew.
    fileprivate func holder(instead then: Reservation.Holder) -> Reservation.Holder? {
        guard let holder, let user = holder.userID, user == then.userID else { return nil }
        return .init(userID: user, name: holder.name ?? then.name, email: holder.email, phone: holder.phone)
    }
}
