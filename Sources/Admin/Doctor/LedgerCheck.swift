import Postgres
import Shared

/// The laws of the ledger: a level is the sum of its movements and not below zero, a transfer has both legs, what a vale holds is what was
/// taken for it, and vales are numbered without gaps.
struct LedgerCheck: DoctorCheck {
    let name = "ledger"

    private struct Counts: RowDecodable {
        let levels, transfers, vales, gaps, receipts: Int64

        init(_ row: Row) throws {
            levels = try row["levels"]
            transfers = try row["transfers"]
            vales = try row["vales"]
            gaps = try row["gaps"]
            receipts = try row["receipts"]
        }
    }

    func examine(_ database: Database) async throws -> [Finding] {
        var broken: [String] = []
        for tenant in try await database.lookUp(Tenant.all()) {
            guard let counts = try await database.read(tenant, Self.counts(tenant.id)).first else { continue }
            let words = [
                (counts.levels, "levels that are not the sum of their movements"),
                (counts.transfers, "transfers without both legs"),
                (counts.vales, "vales that hold something else than was taken"),
                (counts.gaps, "gaps in the numbers of vales"),
                (counts.receipts, "lines of purchase requests that count something else as received than was booked"),
            ]
            broken += words.filter { $0.0 > 0 }.map { "\(tenant.slug): \($0.0) \($0.1)" }
        }
        guard broken.isEmpty else { return [.fail(name, broken.joined(separator: "; "))] }
        return [.ok(name, "every level is the sum of its movements")]
    }

    /// One statement, so that all of it is of one moment.
    private static func counts(_ tenant: TenantID) -> Statement<Counts> {
        """
        SELECT (SELECT count(*) FROM stock_differences WHERE tenant_id = \(tenant)) AS levels,
               (SELECT count(*) FROM broken_transfers WHERE tenant_id = \(tenant)) AS transfers,
               (SELECT count(*) FROM vale_differences WHERE tenant_id = \(tenant)) AS vales,
               (SELECT count(*) FROM vale_number_gaps WHERE tenant_id = \(tenant)) AS gaps,
               (SELECT count(*) FROM receipt_differences WHERE tenant_id = \(tenant)) AS receipts
        """
    }
}
