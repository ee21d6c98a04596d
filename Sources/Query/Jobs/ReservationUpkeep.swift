import Foundation
import Logging
import Postgres
import ServiceLifecycle
import Shared

/// What must happen to reservations as time passes: pending ones give their places up, sensors check people in, who stays away is a no-show,
/// and what is over is completed. Any number of processes may do it at once: of each reservation one does.
struct ReservationUpkeep: Service {
    /// Reservations of a tenant that are looked at in one transaction.
    private static let batch = 200

    /// As `pulsegate_system`.
    let database: Database
    let interval: Duration
    let logger: Logger

    func run() async throws {
        await repeatUntilShutdown(every: interval, logger: logger) { try await keepOnce(at: .now()) }
    }

    /// - Parameter now: what time it is held to be.
    func keepOnce(at now: Timestamp) async throws {
        for tenant in try await database.lookUp(Tenant.all()) where tenant.isActive {
            guard !Task.isCancelled else { return }
            do {
                try await keep(tenant, at: now)
            } catch {
                logger.warning(
                    "reservations were not kept", metadata: ["tenant": "\(tenant.slug)", "reason": "\(error)"])
            }
        }
    }

    private func keep(_ tenant: Tenant, at now: Timestamp) async throws {
        var last: UUID?
        repeat {
            let after = last
            last = try await database.withTenant(tenant) { tx in
                let policy = try await tx.written(ReservationPolicy.find(tx.tenantID))
                let due = try await tx.all(
                    DueReservation.some(at: now, after: after, limit: Self.batch, in: tx.tenantID))
                let trail = AuditTrail(of: "reservations", in: tx.tenantID)
                try await tx.run(all: due.flatMap { $0.commands(policy, trail, at: now, in: tx.tenantID) })
                return due.count == Self.batch ? due.last?.reservation.id : nil
            }
        } while last != nil
    }
}

/// A reservation that time may have done something to, locked, with its space's sensor.
struct DueReservation: RowDecodable {
    let reservation: Reservation
    let sensor: ReservationFate.Sensor

    init(_ row: Row) throws {
        reservation = try Reservation(row)
        sensor = .init(
            state: Space.State(rawValue: try row["state"]) ?? .unknown, since: try row["state_since"],
            isThere: try row["device_eui"] as String? != nil)
    }

    /// By id. Those that somebody is just changing come next time.
    static func some(at now: Timestamp, after: UUID?, limit: Int, in tenant: TenantID) -> Statement<DueReservation> {
        let beyond: Fragment = if let after { "id > \(after)" } else { "true" }
        return """
            WITH due AS MATERIALIZED (
                SELECT id FROM reservations
                 WHERE tenant_id = \(tenant) AND \(beyond)
                   AND (status = 'confirmed' AND starts_at <= \(now) OR status = 'pending' AND expires_at <= \(now))
                 ORDER BY id LIMIT \(Int64(limit)) FOR NO KEY UPDATE SKIP LOCKED
            )
            SELECT r.id, r.space_id, sp.site_id, r.starts_at, r.ends_at, r.status, r.holder_user_id, r.holder_name, r.holder_email,
                   r.holder_phone, r.note, r.request_id, r.expires_at, r.checked_in_at, r.created_at, r.updated_at,
                   coalesce(v.state, 'unknown') AS state, v.state_since, v.device_eui
              FROM due
              JOIN reservations r ON r.tenant_id = \(tenant) AND r.id = due.id
              JOIN spaces sp ON sp.tenant_id = r.tenant_id AND sp.id = r.space_id
              LEFT JOIN v_spaces v ON v.tenant_id = r.tenant_id AND v.id = r.space_id
             ORDER BY r.id
            """
    }

    fileprivate func commands(
        _ policy: ReservationPolicy, _ trail: AuditTrail, at now: Timestamp, in tenant: TenantID
    ) -> [Command] {
        guard let fate = ReservationFate(of: reservation, policy, sensor, at: now) else { return [] }
        var after = reservation
        (after.status, after.checkedInAt) = (fate.status, fate.checkedInAt)
        return [after.settle(in: tenant), trail.changed(fate.action, reservation, after)]
    }
}
