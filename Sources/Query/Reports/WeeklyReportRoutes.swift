import Hummingbird
import Postgres
import Shared

struct WeeklyReportRoutes: Sendable {
    let database: Database

    func register(on api: TenantRoutes) {
        api.get("reports/weekly", requires: .reportsRead, use: weekly)
    }

    /// Of the last full week, or of `week`, its first day. The one that was kept, else one that is computed now; who is limited to sites is
    /// answered of these.
    @Sendable private func weekly(_ request: Request, _ context: TenantContext) async throws -> Answer<WeeklyReport> {
        let now = Timestamp.now()
        var query = QueryParameters(request)
        let week = query.week("week", at: now)
        try query.check()
        let scope = context.scope
        // Of one snapshot.
        let options = TransactionOptions(isolation: .repeatableRead, readOnly: true)
        return try await database.withTenant(context, options) { tx in
            if scope.siteIDs == nil, let kept = try await tx.first(WeeklyReport.find(week, in: tx.tenantID)) {
                return Answer(WeeklyReport(kept, of: week))
            }
            return Answer(try await WeeklyReport.compute(week, at: now, for: scope, in: tx))
        }
    }
}

extension QueryParameters {
    /// The last full week where none is given.
    fileprivate mutating func week(_ name: String, at now: Timestamp) -> ReportWeek {
        let last = ReportWeek(lastBefore: now)
        guard let text = text(name) else { return last }
        guard let week = ReportWeek(beginning: text) else {
            refuse(name, "invalid_week", "Must be a Sunday, such as \(last.day).")
            return last
        }
        if week.from > last.from { refuse(name, "not_over", "Must be over: the last one began on \(last.day).") }
        return week
    }
}
