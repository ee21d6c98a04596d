import Foundation
import HTTPTypes
import Hummingbird
import Postgres
import Shared

struct ReservationRoutes: Sendable {
    let database: Database

    func register(on api: TenantRoutes) {
        api.get("reservations", requires: .reservationsRead, use: list)
        api.post("reservations", requires: .reservationsWrite, use: create)
        api.get("reservations/:id", requires: .reservationsRead, use: one)
        api.patch("reservations/:id", requires: .reservationsWrite) { try await change($0, $1, replaces: false) }
        api.put("reservations/:id", requires: .reservationsWrite) { try await change($0, $1, replaces: true) }
        api.delete("reservations/:id", requires: .reservationsWrite, use: delete)
        for step in ReservationStep.allCases {
            api.post("reservations/:id/\(step.path)", requires: .reservationsWrite) { try await take(step, $0, $1) }
        }
    }

    /// In the order of their starts. Filters: `space` and `site` (id or code), `status`; `from` and `to`, which they touch.
    @Sendable private func list(_ request: Request, _ context: TenantContext) async throws -> PageAnswer<Reservation> {
        var query = QueryParameters(request)
        var filter = Reservation.Filter(
            spaces: query.references("space"), sites: query.references("site"), statuses: query.words("status"))
        if query.text("from") != nil || query.text("to") != nil {
            filter.span = query.openSpan("from", "to")
        }
        try query.check()
        let page = try PageRequest<Reservation.Position>(request, tenant: context.tenant.uuid)
        let reservations = try await database.read(
            context, Reservation.page(filter, after: page.after, limit: page.fetchLimit, in: context.scope))
        return try PageAnswer(reservations, page, of: request, context) { $0.position }
    }

    @Sendable private func one(_ request: Request, _ context: TenantContext) async throws -> Answer<Reservation> {
        let find = Reservation.find(try context.id("reservation"), in: context.scope)
        return Answer(try await database.found(context, find, "reservation"))
    }

    @Sendable private func create(
        _ request: Request, _ context: TenantContext
    ) async throws -> Answer<Created<Reservation>> {
        var body = try await JSONBody(request, context)
        let now = Timestamp.now()
        let wanted = try ReservationFields(&body, standing: nil, at: now)
        let key = try IdempotencyKey(
            request, field: wanted.requestID, operation: "reservations",
            payload: wanted.payload(of: context.principal))
        let booking = Booking(context: context, trail: AuditTrail(request, context), now: now)
        return try await database.withTenant(context) { tx in
            if let answer = try await key?.begin(in: tx) {
                // Of another site's nothing is told, be it known by its key.
                guard try await tx.first(Space.isOrWasSeen(wanted.spaceID, in: context.scope)) == true else {
                    throw Problem.unknown("space_id", "space")
                }
                return Answer(.before(answer))
            }
            let made = try await booking.book(wanted, key: key?.key, in: tx)
            if let key { try await tx.run(key.finish(made, in: tx)) }
            return Answer(.now(made), createdAt: "/api/v1/reservations/\(made.id.lowercaseString)")
        }
    }

    private func change(
        _ request: Request, _ context: TenantContext, replaces: Bool
    ) async throws -> Answer<Reservation> {
        let id = try context.id("reservation")
        let body = try await JSONBody(request, context)
        let now = Timestamp.now()
        let booking = Booking(context: context, trail: AuditTrail(request, context), now: now)
        let standing = try await database.found(context, Reservation.find(id, in: context.scope), "reservation")
        let wish = { @Sendable (one: Reservation) in
            try request.checkIfMatch(one)
            return try body.reservation(one, replaces: replaces, at: now)
        }
        do {
            return try await database.withTenant(context) { tx in
                Answer(try await booking.move(standing, wish, in: tx))
            }
        } catch let error where error.postgresError?.sqlState == "23P01" {
            throw try await booking.conflict(with: try wish(standing), except: id) {
                try await database.read(context, $0)
            }
        }
    }

    /// Cancels it, where it has not ended, and forgets it.
    @Sendable private func delete(_ request: Request, _ context: TenantContext) async throws -> HTTPResponse.Status {
        let id = try context.id("reservation")
        let trail = AuditTrail(request, context)
        try await database.withTenant(context) { tx in
            let before = try await tx.found(Reservation.lock(id, in: context.scope), "reservation")
            try request.checkIfMatch(before)
            try await tx.run(all: [Reservation.delete(id, in: tx.tenantID), trail.deleted(.reservationDeleted, before)])
        }
        return .noContent
    }

    /// Nothing changes where it is so already.
    private func take(
        _ step: ReservationStep, _ request: Request, _ context: TenantContext
    ) async throws -> Answer<Reservation> {
        let id = try context.id("reservation")
        let trail = AuditTrail(request, context)
        return try await database.withTenant(context) { tx in
            let before = try await tx.found(Reservation.lock(id, in: context.scope), "reservation")
            try request.checkIfMatch(before)
            let after: Reservation?
            do throws(ReservationStep.Refusal) {
                after = try step.apply(to: before, at: .now())
            } catch {
                throw Problem.conflict(error.code, detail: error.detail)
            }
            guard let after else { return Answer(before) }
            try await tx.run(all: [after.settle(in: tx.tenantID), trail.changed(step.action, before, after)])
            return Answer(try await tx.written(Reservation.find(id, in: context.scope)))
        }
    }
}

extension JSONBody {
    /// - Throws: `Problem` 422.
    fileprivate func reservation(
        _ standing: Reservation, replaces: Bool, at now: Timestamp
    ) throws -> ReservationFields {
        // Another member is another person, of whom the old name says nothing.
        var whole = replaces ? self : merged(into: standing, without: names("user_id", in: "holder") ? ["holder"] : [])
        if replaces { whole.keep("request_id", standing.requestID) }
        return try ReservationFields(&whole, standing: standing, at: now)
    }
}

extension ReservationFields {
    /// What the same wish is the same by.
    fileprivate func payload(of principal: Principal) -> some JSONWritable {
        Payload(fields: self, asker: holder == nil ? principal.id : nil)
    }

    private struct Payload: JSONWritable {
        let fields: ReservationFields
        /// Where nobody is named it is for whoever asks.
        let asker: UUID?

        func write(to json: inout JSONWriter) {
            let holder = fields.holder
            json.object { object in
                object.field("space_id", fields.spaceID)
                object.field("starts_at", fields.startsAt)
                object.field("ends_at", fields.endsAt)
                object.field("status", fields.status.rawValue)
                object.field("asker", asker)
                object.field("user_id", holder?.userID)
                object.field("name", holder?.name)
                object.field("email", holder?.email)
                object.field("phone", holder?.phone)
                object.field("note", fields.note)
            }
        }
    }
}
