import Logging
import Postgres
import Shared

/// Keeps and sends each tenant's report of the last full week. Whoever keeps it sends it, so it is sent once.
struct WeeklyReporting: Job {
    let kind = JobKind.weeklyReport
    /// As `pulsegate_system`.
    let database: Database
    let logger: Logger

    func run(at now: Timestamp) async throws -> Int {
        let week = ReportWeek(lastBefore: now)
        return try await database.tenantByTenant(logger) { tenant in
            try await database.withTenant(tenant) { tx in
                // Nobody waits for it, and a week of a large tenant is much to count.
                try await tx.run("SELECT set_config('statement_timeout', '600000', true)")
                guard try await tx.first(WeeklyReport.find(week, in: tx.tenantID)) == nil else { return 0 }
                let report = try await WeeklyReport.compute(week, at: now, for: TenantScope(tx.tenantID), in: tx)
                // Whoever else keeps one at this moment is waited for.
                guard try await tx.run(report.insert(into: tx.tenantID)) == 1 else { return 0 }
                let letter = try WeeklyLetter(report, of: tenant.slug)
                let contacts = try await tx.written(TenantContacts.find(tx.tenantID))
                let letters = contacts.emails(letter.subject, letter.body)
                try await tx.run(all: letters.map { $0.insert(into: tx.tenantID) })
                return 1
            }
        }
    }
}
