import Foundation
import Hummingbird
import Postgres
import Shared

/// When spaces can be booked. Nothing in it tells who holds what.
struct AvailabilityRoutes: Sendable {
    /// Seconds that may be asked for at once: of one space, of all of a site.
    private static let (longest, longestOfSite): (Int64, Int64) = (92 * 86_400, 31 * 86_400)
    /// Seconds that are meant where nothing is said.
    private static let usual: Int64 = 7 * 86_400

    let database: Database

    func register(on api: TenantRoutes) {
        api.get("spaces/:id/availability", requires: .reservationsRead, use: ofSpace)
        api.get("sites/:site/availability", requires: .reservationsRead, use: ofSite)
    }

    /// `from` (now), `to` (a week later) and `duration`: `90m`, `2h`, `1d`.
    @Sendable private func ofSpace(
        _ request: Request, _ context: TenantContext
    ) async throws -> Answer<AvailabilityAnswer> {
        let id = try context.id("space")
        var query = QueryParameters(request)
        let (span, duration) = Self.read(&query, longest: Self.longest)
        try query.check()
        let space = try await database.found(context, Space.find(id, in: context.scope), "space")
        guard let span, space.isBookable else { return Answer(AvailabilityAnswer(slots: [])) }
        let calendar = try await database.found(
            context, SpaceCalendar.of(space: id, span, in: context.scope), "space")
        return Answer(AvailabilityAnswer(slots: calendar.availability.slots(of: duration)))
    }

    /// The same for each bookable space of a site. Filter: `kind`.
    @Sendable private func ofSite(
        _ request: Request, _ context: TenantContext
    ) async throws -> PageAnswer<SpaceAvailability> {
        let reference = try context.site
        var query = QueryParameters(request)
        let (span, duration) = Self.read(&query, longest: Self.longestOfSite)
        let kinds: [Space.Kind] = query.words("kind")
        try query.check()
        let page = try PageRequest<UUID>(request, tenant: context.tenant.uuid)
        _ = try await database.found(context, Site.find(reference, nil, in: context.scope), "site")
        guard let span else { return try PageAnswer([], page, of: request, context) { $0.calendar.spaceID } }
        let calendars = try await database.read(
            context,
            SpaceCalendar.of(
                site: reference, kinds: kinds, span, after: page.after, limit: page.fetchLimit, in: context.scope))
        let found = calendars.map { SpaceAvailability(calendar: $0, duration: duration) }
        return try PageAnswer(found, page, of: request, context) { $0.calendar.spaceID }
    }

    /// What is past can't be booked, so a span begins now at the earliest; nil where nothing of it is left.
    private static func read(_ query: inout QueryParameters, longest: Int64) -> (Range<Timestamp>?, duration: Int64) {
        let now = Timestamp.now()
        let from = query.time("from") ?? now
        let to = query.time("to") ?? from.adding(seconds: usual)
        let span = query.span(from, to, "from", longest: longest)
        let duration = query.text("duration").map { Step($0) }
        if case .some(.none) = duration {
            query.refuse("duration", "invalid_duration", "Must be a length of time, such as 90m, 2h or 1d.")
        }
        let (start, end) = (max(span?.lowerBound ?? now, now), span?.upperBound ?? now)
        return (start < end ? start..<end : nil, duration.flatMap(\.self)?.microseconds ?? 1)
    }
}

/// `{"data": [{"starts_at", "ends_at"}, …]}`.
struct AvailabilityAnswer: JSONWritable {
    let slots: [Range<Timestamp>]

    func write(to json: inout JSONWriter) {
        json.object { $0.field("data", slots.map(Slot.init)) }
    }

    struct Slot: JSONWritable {
        let span: Range<Timestamp>

        func write(to json: inout JSONWriter) {
            json.object { object in
                object.field("starts_at", span.lowerBound)
                object.field("ends_at", span.upperBound)
            }
        }
    }
}

/// One space of a site.
struct SpaceAvailability: JSONWritable {
    let calendar: SpaceCalendar
    /// Microseconds.
    let duration: Int64

    func write(to json: inout JSONWriter) {
        json.object { object in
            object.field("space_id", calendar.spaceID)
            object.field("code", calendar.code)
            object.field("slots", calendar.availability.slots(of: duration).map(AvailabilityAnswer.Slot.init))
        }
    }
}
