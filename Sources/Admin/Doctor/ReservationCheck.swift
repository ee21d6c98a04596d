import Postgres
import Shared

/// Time does something to reservations, in query processes that have `SYSTEM_DATABASE_URL`; and none hold one place together.
struct ReservationCheck: DoctorCheck {
    let name = "reservations"

    private struct Counts: RowDecodable {
        let overdue: Int64
        let conflicts: Int64

        init(_ row: Row) throws {
            overdue = try row["overdue"]
            conflicts = try row["conflicts"]
        }
    }

    func examine(_ database: Database) async throws -> [Finding] {
        var (overdue, conflicts) = (Int64(0), Int64(0))
        for tenant in try await database.lookUp(Tenant.all()) where tenant.isActive {
            let counts = try await database.read(tenant, Self.counts(tenant.id))
            overdue += counts.first?.overdue ?? 0
            conflicts += counts.first?.conflicts ?? 0
        }
        guard conflicts == 0 else { return [.fail(name, "\(conflicts) pairs hold one place together")] }
        guard overdue == 0 else {
            return [.warn(name, "\(overdue) are an hour overdue: has a query process SYSTEM_DATABASE_URL?")]
        }
        return [.ok(name, "looked after")]
    }

    private static func counts(_ tenant: TenantID) -> Statement<Counts> {
        """
        SELECT (SELECT count(*) FROM reservations
                 WHERE tenant_id = \(tenant) AND status = 'pending' AND expires_at < now() - interval '1 hour')
             + (SELECT count(*) FROM reservations
                 WHERE tenant_id = \(tenant) AND status = 'confirmed' AND starts_at < now() - interval '1 hour'
                   AND ends_at < now() - interval '1 hour') AS overdue,
               (SELECT count(*) FROM reservation_conflicts WHERE tenant_id = \(tenant)) AS conflicts
        """
    }
}
