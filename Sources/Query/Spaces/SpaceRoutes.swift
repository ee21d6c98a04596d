import Foundation
import HTTPTypes
import Hummingbird
import Postgres
import Shared

struct SpaceRoutes: Sendable {
    let database: Database

    func register(on api: TenantRoutes) {
        api.get("spaces", requires: .spacesRead, use: list)
        api.post("spaces", requires: .spacesWrite, use: create)
        api.get("spaces/:id", requires: .spacesRead, use: one)
        api.patch("spaces/:id", requires: .spacesWrite) { try await change($0, $1, replaces: false) }
        api.put("spaces/:id", requires: .spacesWrite) { try await change($0, $1, replaces: true) }
        api.delete("spaces/:id", requires: .spacesWrite, use: delete)
    }

    /// Filters: `site` (id or code), `kind`, `state`; `free_from` and `free_to`, between which they can be booked.
    @Sendable private func list(_ request: Request, _ context: TenantContext) async throws -> PageAnswer<Space> {
        var query = QueryParameters(request)
        let filter = Space.Filter(
            sites: query.references("site"), kinds: query.words("kind"), states: query.words("state"),
            free: query.span("free_from", "free_to", longest: Reservation.longest))
        try query.check()
        let page = try PageRequest<UUID>(request, tenant: context.tenant.uuid)
        let spaces = try await database.read(
            context, Space.page(filter, after: page.after, limit: page.fetchLimit, in: context.scope))
        return try PageAnswer(spaces, page, of: request, context) { $0.id }
    }

    @Sendable private func one(_ request: Request, _ context: TenantContext) async throws -> Answer<Space> {
        Answer(try await database.found(context, Space.find(try context.id("space"), in: context.scope), "space"))
    }

    @Sendable private func create(_ request: Request, _ context: TenantContext) async throws -> Answer<Space> {
        var body = try await JSONBody(request, context)
        let fields = try SpaceFields(&body)
        let trail = AuditTrail(request, context)
        return try await database.withTenant(context) { tx in
            try await fields.holdSite(context, in: tx)
            let id = UUID.v7()
            try await tx.run(Space.insert(id, fields, into: tx.tenantID))
            let space = try await tx.written(Space.find(id, in: context.scope))
            try await tx.run(trail.created(.spaceCreated, space))
            return Answer(space, createdAt: "/api/v1/spaces/\(id.lowercaseString)")
        }
    }

    private func change(
        _ request: Request, _ context: TenantContext, replaces: Bool
    ) async throws -> Answer<Space> {
        let id = try context.id("space")
        let body = try await JSONBody(request, context)
        let trail = AuditTrail(request, context)
        return try await database.withTenant(context) { tx in
            let before = try await Space.locked(id, context, in: tx)
            try request.checkIfMatch(before)
            var whole = replaces ? body : body.merged(into: before)
            let fields = try SpaceFields(&whole)
            if fields.siteID != before.siteID { try await fields.holdSite(context, in: tx) }
            try await tx.run(Space.update(id, fields, in: tx.tenantID))
            let after = try await tx.written(Space.find(id, in: context.scope))
            try await tx.run(trail.changed(.spaceChanged, before, after))
            return Answer(after)
        }
    }

    /// Reservations to come stand against it, unless `cancel_reservations=true`.
    @Sendable private func delete(_ request: Request, _ context: TenantContext) async throws -> HTTPResponse.Status {
        let id = try context.id("space")
        var query = QueryParameters(request)
        let cancels = query.flag("cancel_reservations")
        try query.check()
        let trail = AuditTrail(request, context)
        try await database.withTenant(context) { tx in
            let space = try await Space.locked(id, context, in: tx)
            try request.checkIfMatch(space)
            try await Reservation.clear([id], cancels: cancels, trail, in: tx)
            try await tx.run(all: Space.delete(id, in: tx.tenantID) + [trail.deleted(.spaceDeleted, space)])
        }
        return .noContent
    }
}

extension Space {
    /// - Throws: `Problem` 404.
    fileprivate static func locked(
        _ id: UUID, _ context: TenantContext, in tx: TenantTransaction
    ) async throws -> Space {
        _ = try await tx.found(lock(id, in: context.scope), "space")
        return try await tx.written(find(id, in: context.scope))
    }
}

extension SpaceFields {
    /// The site stays while this transaction goes on.
    /// - Throws: `Problem` 422 for one that isn't there.
    fileprivate func holdSite(_ context: TenantContext, in tx: TenantTransaction) async throws {
        guard try await tx.first(Site.hold(siteID, in: context.scope)) != nil else {
            throw Problem.unknown("site_id", "site")
        }
    }
}

extension Problem {
    /// A field that names something which isn't there, or isn't for this member to know.
    static func unknown(_ field: String, _ thing: String) -> Problem {
        unprocessable([FieldError(field: field, code: "unknown", detail: "There is no such \(thing).")])
    }
}
