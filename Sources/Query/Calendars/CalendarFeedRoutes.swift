import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Postgres
import Shared

/// `/calendar-feeds`: a person's own, and `/reservations.ics`, where calendar programs read one.
struct CalendarFeedRoutes: Sendable {
    /// Seconds before and after now that a feed shows.
    private static let past: Int64 = 30 * 86_400
    private static let future: Int64 = 366 * 86_400
    private static let maxEntries = 5_000
    private static let maxFeeds = 20

    let database: Database
    let directory: AccessDirectory
    /// Where this API is reached.
    let publicURL: String

    func register(on api: TenantRoutes, and open: RouterGroup<QueryContext>) {
        api.get("calendar-feeds", requires: .reservationsRead, use: list)
        api.post("calendar-feeds", requires: .reservationsRead, use: create)
        api.delete("calendar-feeds/:id", requires: .reservationsRead, use: delete)
        open.get("reservations.ics", use: calendar)
    }

    @Sendable private func list(_ request: Request, _ context: TenantContext) async throws -> PageAnswer<CalendarFeed> {
        let user = try context.person
        let page = try PageRequest<UUID>(request, tenant: context.tenant.uuid)
        let feeds = try await database.read(
            context, CalendarFeed.page(of: user, after: page.after, limit: page.fetchLimit, in: context.tenantID))
        return try PageAnswer(feeds, page, of: request, context) { $0.id }
    }

    /// Of everything, of a `site_id` or of a `space_id`. The address is shown this once.
    @Sendable private func create(
        _ request: Request, _ context: TenantContext
    ) async throws -> Answer<NewCalendarFeed> {
        let user = try context.person
        var body = try await JSONBody(request, context)
        let name = body.name() ?? "Reservations"
        let (site, space) = (body.id("site_id"), body.id("space_id"))
        try body.check()
        let token = OpaqueToken.make(tenant: context.tenant.uuid)
        let trail = AuditTrail(request, context)
        return try await database.withTenant(context) { tx in
            if let site, try await tx.first(Site.hold(site, in: context.scope)) == nil {
                throw Problem.unknown("site_id", "site")
            }
            if let space, try await tx.first(Space.hold(space, in: context.scope)) == nil {
                throw Problem.unknown("space_id", "space")
            }
            try await tx.run(CalendarFeed.lockMember(user, in: tx.tenantID))
            let present = try await tx.all(
                CalendarFeed.page(of: user, after: nil, limit: Self.maxFeeds, in: tx.tenantID))
            guard present.count < Self.maxFeeds else {
                throw Problem.conflict("too_many_feeds", detail: "A person has \(Self.maxFeeds) feeds at most.")
            }
            let feed = try await tx.written(
                CalendarFeed.insert(token, of: user, name: name, site: site, space: space, into: tx.tenantID))
            try await tx.run(trail.created(.feedCreated, feed))
            let url = "\(publicURL)/api/v1/reservations.ics?token=\(token.secret)"
            return Answer(
                NewCalendarFeed(feed: feed, url: url), isSecret: true,
                createdAt: "/api/v1/calendar-feeds/\(feed.id.lowercaseString)")
        }
    }

    @Sendable private func delete(_ request: Request, _ context: TenantContext) async throws -> HTTPResponse.Status {
        let user = try context.person
        let id = try context.id("calendar feed")
        let trail = AuditTrail(request, context)
        try await database.withTenant(context) { tx in
            let feed = try await tx.found(CalendarFeed.delete(id, of: user, in: tx.tenantID), "calendar feed")
            try await tx.run(trail.deleted(.feedDeleted, feed))
        }
        return .noContent
    }

    /// Whoever has the address may read it: calendar programs send nothing else.
    @Sendable private func calendar(_ request: Request, _ context: QueryContext) async throws -> Response {
        let secret = request.uri.queryParameters["token"].map(String.init) ?? ""
        guard let token = OpaqueToken(parsing: secret), let tenant = try await directory.tenant(token.tenantID),
            let feed = try await database.read(tenant, CalendarFeed.reader(token, in: tenant.id)).first,
            feed.scopes.contains(.reservationsRead)
        else { throw Problem.notFound("calendar") }
        let now = Timestamp.now()
        let span = now.adding(seconds: -Self.past)..<now.adding(seconds: Self.future)
        let scope = TenantScope(tenant.id, sites: feed.siteIDs.isEmpty ? nil : Set(feed.siteIDs))
        let entries = try await database.read(
            tenant, CalendarEntry.all(of: feed, span, limit: Self.maxEntries, in: scope))
        var calendar = ICalendar(named: feed.name)
        for entry in entries { calendar.add(entry) }
        calendar.end()
        return Response(
            status: .ok, headers: [.contentType: "text/calendar; charset=utf-8", .cacheControl: "private, no-cache"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: calendar.text)))
    }
}

extension TenantContext {
    /// - Throws: `Problem` 403 for a program, which reads the API itself.
    fileprivate var person: UUID {
        get throws {
            _ = try session
            return principal.id
        }
    }
}
