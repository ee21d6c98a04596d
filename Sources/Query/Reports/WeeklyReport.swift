import Foundation
import Postgres
import Shared

/// What a tenant's week was like. Its parts are made by PostgreSQL, with money and quantities as texts.
struct WeeklyReport: Sendable {
    let week: ReportWeek
    let generatedAt: Timestamp
    let vales, stock, alerts, reservations: JSONB
    /// Of all of the tenant alone.
    let ingest: JSONB?
}

extension WeeklyReport: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.object { object in
            object.field("week", week)
            object.field("generated_at", generatedAt)
            object.field("vales", vales)
            object.field("stock", stock)
            object.field("alerts", alerts)
            object.field("reservations", reservations)
            object.field("ingest", ingest)
        }
    }
}

extension WeeklyReport {
    /// One that was kept.
    struct Kept: RowDecodable {
        let generatedAt: Timestamp
        let vales, stock, alerts, reservations: JSONB
        let ingest: JSONB?

        init(_ row: Row) throws {
            generatedAt = try row["generated_at"]
            vales = try row["vales"]
            stock = try row["stock"]
            alerts = try row["alerts"]
            reservations = try row["reservations"]
            ingest = try row["ingest"]
        }
    }

    init(_ kept: Kept, of week: ReportWeek) {
        self.init(
            week: week, generatedAt: kept.generatedAt, vales: kept.vales, stock: kept.stock, alerts: kept.alerts,
            reservations: kept.reservations, ingest: kept.ingest)
    }

    /// Computes it of what somebody may see.
    static func compute(
        _ week: ReportWeek, at now: Timestamp, for scope: TenantScope, in tx: TenantTransaction
    ) async throws -> WeeklyReport {
        WeeklyReport(
            week: week, generatedAt: now, vales: try await tx.written(vales(week, scope)),
            stock: try await tx.written(stock(scope)), alerts: try await tx.written(alerts(week, scope)),
            reservations: try await tx.written(reservations(week, scope)),
            ingest: scope.siteIDs == nil ? try await tx.written(ingest(week, in: tx.tenantID)) : nil)
    }
}
