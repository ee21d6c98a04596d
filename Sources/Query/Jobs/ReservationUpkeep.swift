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
        let policy = try await database.found(tenant, ReservationPolicy.find(tenant.id), "tenant")
        var last: Reservation.Position?
        repeat {
            let after = last
            last = try await database.withTenant(tenant) { tx in
                let due = try await tx.all(
                    Reservation.due(at: now, policy, after: after, limit: Self.batch, in: tx.tenantID))
                let pending =
                    after == nil
                    ? try await tx.all(Reservation.expired(at: now, limit: Self.batch, in: tx.tenantID)) : []
                try await settle(due.map(\.id) + pending, policy, at: now, in: tx)
                return due.count == Self.batch ? due.last : nil
            }
        } while last != nil
    }

    /// - Parameter ids: locked. What they are is read only now, when nobody else changes it any more.
    private func settle(
        _ ids: [UUID], _ policy: ReservationPolicy, at now: Timestamp, in tx: TenantTransaction
    ) async throws {
        guard !ids.isEmpty else { return }
        let trail = AuditTrail(of: "reservations", in: tx.tenantID)
        var commands: [Command] = []
        for reservation in try await tx.all(Reservation.all(ids, in: tx.tenantID)) {
            let sensor = try await sensor(of: reservation, policy, at: now, in: tx)
            guard let fate = ReservationFate(of: reservation, policy, sensor, at: now) else { continue }
            var after = reservation
            (after.status, after.checkedInAt) = (fate.status, fate.checkedInAt)
            commands += [after.settle(in: tx.tenantID), trail.changed(fate.action, reservation, after)]
        }
        try await tx.run(all: commands)
    }

    /// By what it said then, so that it does not matter when we look.
    private func sensor(
        of reservation: Reservation, _ policy: ReservationPolicy, at now: Timestamp, in tx: TenantTransaction
    ) async throws -> ReservationFate.Sensor {
        guard let arrival = reservation.arrival(policy, at: now) else { return .none }
        let (scope, budget) = (TenantScope(tx.tenantID), ReadingBudget())
        let rows = try await tx.all(OccupancyReading.rows(.space(reservation.spaceID), arrival, in: scope, budget))
        let reading = OccupancyReading(rows, within: arrival)
        guard !reading.spaces.isEmpty else { return .none }
        let runs = reading.occupancy(of: reservation.spaceID).runs
        if let run = runs.first(where: { $0.state == .occupied }) {
            return .came(at: Timestamp(microseconds: run.span.lowerBound))
        }
        return runs.contains { $0.state == .free } ? .stayedFree : .silent
    }
}

extension Reservation {
    /// Confirmed ones that time may do something to, locked, in the order of their starts. Those that somebody is just changing come
    /// next time.
    fileprivate static func due(
        at now: Timestamp, _ policy: ReservationPolicy, after: Position?, limit: Int, in tenant: TenantID
    ) -> Statement<Position> {
        let beyond: Fragment =
            if let after {
                "(starts_at, id) > (\(Timestamp(microseconds: after.startsAt)), \(after.id))"
            } else { "true" }
        let late = now.adding(seconds: -policy.noShowAfter)
        return """
            SELECT starts_at, id FROM reservations
             WHERE tenant_id = \(tenant) AND status = 'confirmed' AND starts_at <= \(now) AND \(beyond)
               AND (ends_at <= \(now) OR checked_in_at IS NULL AND (\(policy.sensorCheckIn) OR starts_at <= \(late)))
             ORDER BY starts_at, id LIMIT \(Int64(limit)) FOR NO KEY UPDATE SKIP LOCKED
            """
    }

    fileprivate static func expired(at now: Timestamp, limit: Int, in tenant: TenantID) -> Statement<UUID> {
        """
        SELECT id FROM reservations WHERE tenant_id = \(tenant) AND status = 'pending' AND expires_at <= \(now)
         ORDER BY expires_at LIMIT \(Int64(limit)) FOR NO KEY UPDATE SKIP LOCKED
        """
    }
}

extension Reservation.Position: RowDecodable {
    init(_ row: Row) throws {
        startsAt = (try row["starts_at"] as Timestamp).microseconds
        id = try row["id"]
    }
}
