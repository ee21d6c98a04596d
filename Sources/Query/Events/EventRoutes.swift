import Foundation
import HTTPTypes
import Hummingbird
import Postgres
import Shared

struct EventRoutes: Sendable {
    let database: Database
    let streams: EventStreams
    let authentication: Authentication

    func register(on api: TenantRoutes) {
        api.get("events", requires: .eventsRead, use: list)
        api.get("events/stream", requires: .eventsRead, use: stream)
        api.get("events/:id", requires: .eventsRead, use: one)
    }

    /// Newest first. Filters: `type`, `site` (id or code); `from` and `to`, half-open.
    @Sendable private func list(_ request: Request, _ context: TenantContext) async throws -> PageAnswer<Event> {
        var query = QueryParameters(request)
        var filter = Event.Filter(for: context.principal)
        (filter.types, filter.sites) = (query.list("type"), query.references("site"))
        if query.text("from") != nil || query.text("to") != nil { filter.span = query.openSpan("from", "to") }
        try query.check()
        let page = try PageRequest<Int64>(request, tenant: context.tenant.uuid)
        let events = try await database.withTenant(context) { [filter] tx in
            _ = try await tx.first(Event.place)
            return try await tx.all(
                Event.page(filter, before: page.after, limit: page.fetchLimit, in: context.scope))
        }
        return try PageAnswer(events, page, of: request, context) { $0.position }
    }

    @Sendable private func one(_ request: Request, _ context: TenantContext) async throws -> Answer<Event> {
        let id = try context.id("event")
        let find = Event.find(id, Event.Filter(for: context.principal), in: context.scope)
        return Answer(
            try await database.withTenant(context) { tx in
                _ = try await tx.first(Event.place)
                return try await tx.found(find, "event")
            })
    }

    /// What happens from now on or, with `Last-Event-ID` (or `last_event_id`, for those who can't set headers), after that event; as far
    /// as `type` and `site` want it. `follow=false` ends with the last event there is, and without an event begins with the oldest.
    @Sendable private func stream(_ request: Request, _ context: TenantContext) async throws -> Response {
        var query = QueryParameters(request)
        var filter = Event.Filter(for: context.principal)
        (filter.types, filter.sites) = (query.list("type"), query.references("site"))
        let follows = query.text("follow") == nil || query.flag("follow")
        try query.check()
        let last = request.headers[.lastEventID] ?? query.text("last_event_id")
        let start = try await start(after: last, follows: follows, context)
        let stream = EventStream(
            database: database, streams: streams, scope: context.scope, filter: filter, start: start, follows: follows,
            isWelcome: { [authentication] in await authentication.stillHolds(request, context) })
        try streams.begin(context.tenantID)
        let listening = Listening(tenant: context.tenantID, streams: streams)
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/event-stream", .cacheControl: "no-store", .accelBuffering: "no",
            ],
            body: ResponseBody { [stream] writer in
                defer { withExtendedLifetime(listening) {} }
                try await stream.write(to: &writer)
                try await writer.finish(nil)
            })
    }

    private func start(after last: String?, follows: Bool, _ context: TenantContext) async throws -> Int64 {
        guard let last, !last.isEmpty else { return follows ? try await streams.reached(context.tenantID) : 0 }
        guard let id = UUID(uuidString: last) else {
            throw Problem.badRequest(code: "invalid_event_id", detail: "Last-Event-ID must be the id of an event.")
        }
        guard let position = try await database.read(context, Event.position(of: id, in: context.tenantID)).first else {
            // What came after it may be gone as well, so who would go on from now would miss something without knowing.
            throw Problem(
                .gone, code: "event_gone", detail: "This event is not kept any more: read /events, and begin anew.")
        }
        return position
    }
}

/// Counts one listener back when its answer is gone, also where nobody took it.
private final class Listening: Sendable {
    private let tenant: TenantID
    private let streams: EventStreams

    init(tenant: TenantID, streams: EventStreams) {
        (self.tenant, self.streams) = (tenant, streams)
    }

    deinit { streams.end(tenant) }
}

extension HTTPField.Name {
    fileprivate static let lastEventID = HTTPField.Name.constant("Last-Event-ID")
    /// nginx gathers answers otherwise.
    fileprivate static let accelBuffering = HTTPField.Name.constant("X-Accel-Buffering")
}
