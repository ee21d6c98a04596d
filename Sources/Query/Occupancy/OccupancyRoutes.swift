import Foundation
import Hummingbird
import Postgres
import Shared

/// What spaces were, and for how much of the time.
struct OccupancyRoutes: Sendable {
    /// Seconds that may be asked for at once.
    private static let longest: Int64 = 400 * 86_400
    /// Seconds that are meant where nothing is said.
    private static let usual: Int64 = 7 * 86_400
    /// Spaces that are read at once, so that memory stays flat however many a site has; fewer where they say much.
    private static let spacesAtOnce = 100
    private static let maxBuckets = 11_000
    /// Readings that one request may read, over all spaces.
    private static let maxReadings = 20_000_000

    let database: Database

    func register(on api: TenantRoutes) {
        api.get("spaces/:id/history", requires: .spacesRead, use: history)
        api.get("sites/:site/occupancy", requires: .spacesRead) { try await occupancy($0, $1, nil) }
        api.get("stores/:site/occupancy", requires: .spacesRead) { try await occupancy($0, $1, .store) }
        api.get("warehouses/:site/occupancy", requires: .spacesRead) { try await occupancy($0, $1, .warehouse) }
    }

    /// Newest first, within half-open `from` (a week before `to`) and `to` (now).
    @Sendable private func history(
        _ request: Request, _ context: TenantContext
    ) async throws -> PageAnswer<OccupancyView> {
        let id = try context.id("space")
        let page = try PageRequest<Int64>(request, tenant: context.tenant.uuid)
        let now = Timestamp.now()
        var query = QueryParameters(request)
        let span = Self.span(&query, now)
        try query.check()
        _ = try await database.found(context, Space.find(id, in: context.scope), "space")
        // A page goes on at the beginning of the last run of the one before.
        let end = page.after.map { Timestamp(microseconds: $0) } ?? span?.upperBound ?? now
        guard let span, span.lowerBound < end else {
            return try PageAnswer([], page, of: request, context) { $0.begin }
        }
        let rest = span.lowerBound..<end
        let runs = try await read(.space(id), rest, context).occupancy(of: id).runs.reversed()
        let isOpen = page.after == nil && query.time("to").map { $0 >= now } ?? true
        let views = runs.enumerated().map { index, run in OccupancyView(run: run, goesOn: index == 0 && isOpen) }
        return try PageAnswer(Array(views.prefix(page.fetchLimit)), page, of: request, context) { $0.begin }
    }

    /// Of the spaces that had a sensor in the span. `step`: `1h`, `1d` (the default), `1w`, which begin when they do in the site's zone.
    /// Filter: `kind`.
    private func occupancy(
        _ request: Request, _ context: TenantContext, _ kind: Site.Kind?
    ) async throws -> Answer<SiteOccupancy> {
        let site = try await database.found(
            context, Site.find(try context.site, kind, in: context.scope), kind?.rawValue ?? "site")
        var query = QueryParameters(request)
        let kinds: [Space.Kind] = query.words("kind")
        let span = Self.span(&query, .now())
        let buckets = Step(query.text("step") ?? "1d").flatMap { LocalBuckets($0, zone: site.timezone) }
        if buckets == nil {
            query.refuse("step", "invalid_step", "Must be some days, or divide a day: 15m, 1h, 6h, 1d, 1w.")
        }
        let bounds = span.map { buckets?.cut($0, most: Self.maxBuckets) }
        if case .some(.none) = bounds, buckets != nil {
            query.refuse("step", "too_short", "That makes more than \(Self.maxBuckets) steps.")
        }
        try query.check()
        guard let span, let bounds = bounds.flatMap(\.self) else {
            return Answer(SiteOccupancy(site: site, totals: .init([])))
        }
        var totals = OccupancyTotals(bounds)
        var last: UUID?
        var limit = Self.spacesAtOnce
        var readings = 0
        while true {
            let some = OccupancyReading.Subject.site(site.id, kinds: kinds, after: last, limit: limit)
            let reading: OccupancyReading
            do {
                reading = try await read(some, span, context)
            } catch let problem as Problem where problem.isTooMuch && limit > 1 {
                limit = max(1, limit / 4)
                continue
            }
            readings += reading.count
            guard readings <= Self.maxReadings else {
                throw Problem.tooMuch(
                    "from", "too_many_samples", "More than \(Self.maxReadings) readings to read: narrow from and to.")
            }
            for space in reading.spaces { totals.add(reading.occupancy(of: space)) }
            guard reading.spaces.count == limit else { return Answer(SiteOccupancy(site: site, totals: totals)) }
            last = reading.spaces.last
        }
    }

    private func read(
        _ subject: OccupancyReading.Subject, _ span: Range<Timestamp>, _ context: TenantContext
    ) async throws -> OccupancyReading {
        let budget = ReadingBudget()
        let rows = try await database.read(context, OccupancyReading.rows(subject, span, in: context.scope, budget))
        try budget.check(rows)
        return OccupancyReading(rows, within: span)
    }

    /// Nothing is known of what is to come, so a span ends now at the latest; nil where nothing of it is left.
    private static func span(_ query: inout QueryParameters, _ now: Timestamp) -> Range<Timestamp>? {
        let to = query.time("to") ?? now
        let from = query.time("from") ?? to.adding(seconds: -usual)
        guard let span = query.span(from, to, "from", longest: longest) else { return nil }
        let end = min(span.upperBound, now)
        return span.lowerBound < end ? span.lowerBound..<end : nil
    }
}

/// A run of a space's history.
struct OccupancyView: JSONWritable {
    let run: Occupancy.Run
    /// To this moment.
    let goesOn: Bool

    var begin: Int64 { run.span.lowerBound }

    func write(to json: inout JSONWriter) {
        json.object { object in
            object.field("state", run.state.rawValue)
            object.field("from", Timestamp(microseconds: run.span.lowerBound))
            object.field("to", goesOn ? nil : Timestamp(microseconds: run.span.upperBound))
        }
    }
}

/// Shares of time, bucket by bucket, over all spaces together.
struct SiteOccupancy: JSONWritable {
    let site: Site
    let totals: OccupancyTotals

    func write(to json: inout JSONWriter) {
        json.object { object in
            object.field("site_id", site.id)
            object.field("timezone", site.timezone)
            object.field("spaces", totals.spaces)
            object.field("data", totals.buckets.map(BucketView.init))
        }
    }

    private struct BucketView: JSONWritable {
        let bucket: OccupancyTotals.Bucket

        func write(to json: inout JSONWriter) {
            let all = bucket.occupied + bucket.free + bucket.unknown
            let share = { (part: Int64) in all == 0 ? nil : Double(part) / Double(all) }
            json.object { object in
                object.field("from", Timestamp(microseconds: bucket.span.lowerBound))
                object.field("to", Timestamp(microseconds: bucket.span.upperBound))
                object.field("occupied", share(bucket.occupied))
                object.field("free", share(bucket.free))
                object.field("unknown", share(bucket.unknown))
            }
        }
    }
}
