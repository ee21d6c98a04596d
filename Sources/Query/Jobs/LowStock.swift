import Foundation
import Logging
import Postgres
import Shared

/// Raises one alert for each product of which there is too little, over all sites, until there is enough again; whoever says meanwhile that
/// it is resolved. A product that nobody watches any more has recovered. Any number of processes may do it at once: of each alert one does.
struct LowStock: Job {
    static let alertKind = "low_stock"
    /// Products of a tenant that are told of in one transaction.
    private static let batch = 200

    let kind = JobKind.lowStock
    /// As `pulsegate_system`.
    let database: Database
    let logger: Logger

    func run(at now: Timestamp) async throws -> Int {
        try await database.tenantByTenant(logger) { tenant in
            var changed = 0
            while true {
                let found = try await database.read(tenant, StockNews.all(limit: Self.batch, in: tenant.id))
                guard !found.isEmpty else { return changed }
                let told = try await tell(found, of: tenant, at: now)
                changed += told
                // What somebody else told of meanwhile would come again and again.
                if found.count < Self.batch || told == 0 { return changed }
            }
        }
    }

    /// - Returns: of how many products.
    private func tell(_ found: [StockNews], of tenant: Tenant, at now: Timestamp) async throws -> Int {
        try await database.withTenant(tenant) { tx in
            let raised = try await raise(found.filter { $0.alertID == nil }, at: now, in: tx)
            let recovered = try await recover(found.filter { $0.alertID != nil }, at: now, in: tx)
            return raised + recovered
        }
    }

    private func raise(_ found: [StockNews], at now: Timestamp, in tx: TenantTransaction) async throws -> Int {
        // In the order of products, so that two who raise the same wait for each other and no more.
        let written = try await tx.pipeline(found.map { Alert.raise($0.alert, at: now, in: tx.tenantID).erased })
        let trail = AuditTrail(of: "low-stock", in: tx.tenantID)
        var commands: [Command] = []
        var raised: [StockNews] = []
        for (news, result) in zip(found, written) {
            guard let alert = try result.rows(as: Alert.self).first else { continue } // somebody else raised it
            commands += [trail.created(.alertRaised, alert), news.event("stock.low").insert(into: tx.tenantID)]
            raised.append(news)
        }
        guard !raised.isEmpty else { return 0 }
        let contacts = try await tx.written(TenantContacts.find(tx.tenantID))
        let letter = LowStockLetter(raised)
        let notifications =
            contacts.emails(letter.subject, letter.body) + contacts.messages(letter.subject, letter.body)
        try await tx.run(all: commands + notifications.map { $0.insert(into: tx.tenantID) })
        return raised.count
    }

    private func recover(_ found: [StockNews], at now: Timestamp, in tx: TenantTransaction) async throws -> Int {
        let ids = found.compactMap(\.alertID)
        guard !ids.isEmpty else { return 0 }
        let standing = try await tx.allAlerts(Alert.lockStanding(ids, in: tx.tenantID))
        let trail = AuditTrail(of: "low-stock", in: tx.tenantID)
        var commands: [Command] = []
        for before in standing {
            commands.append(Alert.recover(before.id, at: now, in: tx.tenantID))
            if before.status != .resolved {
                var after = before
                (after.status, after.resolvedAt, after.recoveredAt) = (.resolved, now, now)
                commands.append(trail.changed(.alertResolved, before, after))
            }
            if let news = found.first(where: { $0.alertID == before.id }) {
                commands.append(news.event("stock.recovered").insert(into: tx.tenantID))
            }
        }
        try await tx.run(all: commands)
        return standing.count
    }
}
