import Postgres
import Shared

/// What tenants are owed is on its way, and what could not be delivered somebody should see.
struct OutboxCheck: DoctorCheck {
    let name = "outbox"

    private struct Counts: RowDecodable {
        let overdue, dead: Int64

        init(_ row: Row) throws {
            overdue = try row["overdue"]
            dead = try row["dead"]
        }
    }

    func examine(_ database: Database) async throws -> [Finding] {
        var (overdue, dead) = (Int64(0), Int64(0))
        for tenant in try await database.lookUp(Tenant.all()) where tenant.isActive {
            guard let counts = try await database.read(tenant, Self.counts(tenant.id)).first else { continue }
            (overdue, dead) = (overdue + counts.overdue, dead + counts.dead)
        }
        guard overdue == 0 else {
            return [.warn(name, "\(overdue) are ten minutes overdue: has a query process SYSTEM_DATABASE_URL?")]
        }
        guard dead == 0 else {
            return [
                .warn(
                    name,
                    "\(dead) of the last week were given up: see the endpoints' deliveries, and the settings of mail")
            ]
        }
        return [.ok(name, "nothing is overdue")]
    }

    private static func counts(_ tenant: TenantID) -> Statement<Counts> {
        """
        SELECT (SELECT count(*) FROM webhook_deliveries
                 WHERE tenant_id = \(tenant) AND status = 'pending' AND next_attempt_at < now() - interval '10 minutes')
             + (SELECT count(*) FROM notifications
                 WHERE tenant_id = \(tenant) AND status = 'pending' AND next_attempt_at < now() - interval '10 minutes')
             + (SELECT count(*) FROM events
                 WHERE tenant_id = \(tenant) AND position IS NULL AND at < now() - interval '10 minutes') AS overdue,
               (SELECT count(*) FROM webhook_deliveries
                 WHERE tenant_id = \(tenant) AND status = 'dead' AND updated_at > now() - interval '7 days')
             + (SELECT count(*) FROM notifications
                 WHERE tenant_id = \(tenant) AND status = 'dead' AND last_attempt_at > now() - interval '7 days') AS dead
        """
    }
}
