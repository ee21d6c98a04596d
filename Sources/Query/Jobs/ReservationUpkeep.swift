import Foundation
import Logging
import Postgres
import Shared

/// What must happen to reservations as time passes: pending ones give their places up, sensors check people in, who stays away is a no-show,
/// and what is over is completed. Any number of processes may do it at once: of each reservation one does.
struct ReservationUpkeep: Job {
    /// Reservations of a tenant that are settled in one transaction, while whoever changes one of them waits.
    private static let batch = 50

    let kind = JobKind.noShows
    /// As `pulsegate_system`.
    let database: Database
    let logger: Logger

    func run(at now: Timestamp) async throws -> Int {
        try await database.tenantByTenant(logger) { try await keep($0, at: now) }
    }

    /// - Returns: how many became something else.
    private func keep(_ tenant: Tenant, at now: Timestamp) async throws -> Int {
        var changed = 0
        let policy = try await database.found(tenant, ReservationPolicy.find(tenant.id), "tenant")
        while true {
            let expired = try await database.read(
                tenant, Reservation.expired(at: now, limit: Self.batch, in: tenant.id))
            let settled = try await settle(expired, [:], policy, of: tenant, at: now)
            changed += settled
            // Those that somebody else has locked would come again and again.
            if expired.count < Self.batch || settled == 0 { break }
        }
        var last: Reservation.Position?
        repeat {
            let due = try await database.read(
                tenant, Reservation.due(at: now, policy, after: last, limit: Self.batch, in: tenant.id))
            // Sensors are asked before anything is locked.
            var words: [UUID: SensorsWord] = [:]
            for reservation in try await database.read(tenant, Reservation.all(due.map(\.id), in: tenant.id)) {
                guard let arrival = reservation.arrival(policy, at: now) else { continue }
                words[reservation.id] = SensorsWord(
                    of: reservation, try await sensor(in: reservation.spaceID, arrival, of: tenant))
            }
            changed += try await settle(due.map(\.id), words, policy, of: tenant, at: now)
            last = due.count == Self.batch ? due.last : nil
        } while last != nil
        return changed
    }

    /// What a sensor said of a reservation as it was when it was asked.
    private struct SensorsWord {
        private let place: UUID
        private let begin: Timestamp
        let sensor: ReservationFate.Sensor

        init(of reservation: Reservation, _ sensor: ReservationFate.Sensor) {
            (place, begin, self.sensor) = (reservation.spaceID, reservation.startsAt, sensor)
        }

        func isOf(_ reservation: Reservation) -> Bool {
            place == reservation.spaceID && begin == reservation.startsAt
        }
    }

    /// What they are is read again once nobody else changes it any more. Those that somebody is just changing come next time, as those
    /// of which the sensor was not asked as they are now.
    /// - Returns: how many became something else.
    private func settle(
        _ ids: [UUID], _ words: [UUID: SensorsWord], _ policy: ReservationPolicy, of tenant: Tenant, at now: Timestamp
    ) async throws -> Int {
        guard !ids.isEmpty else { return 0 }
        return try await database.withTenant(tenant) { tx in
            let locked = try await tx.all(Reservation.lockThose(ids, in: tx.tenantID))
            let trail = AuditTrail(of: "reservations", in: tx.tenantID)
            var commands: [Command] = []
            for reservation in try await tx.all(Reservation.all(locked, in: tx.tenantID)) {
                let word = words[reservation.id].flatMap { $0.isOf(reservation) ? $0.sensor : nil }
                if word == nil, reservation.arrival(policy, at: now) != nil { continue }
                guard let fate = ReservationFate(of: reservation, policy, word ?? .none, at: now) else { continue }
                var after = reservation
                (after.status, after.checkedInAt) = (fate.status, fate.checkedInAt)
                commands += [after.settle(in: tx.tenantID), trail.changed(fate.action, reservation, after)]
            }
            try await tx.run(all: commands)
            return commands.count / 2
        }
    }

    /// By what it said then, so that it does not matter when we look.
    private func sensor(
        in space: UUID, _ arrival: Range<Timestamp>, of tenant: Tenant
    ) async throws -> ReservationFate.Sensor {
        let budget = ReadingBudget()
        let rows = try await database.read(
            tenant, OccupancyReading.rows(.space(space), arrival, in: TenantScope(tenant.id), budget))
        do {
            try budget.check(rows)
        } catch {
            return .silent // who says so much is understood by nobody
        }
        let reading = OccupancyReading(rows, within: arrival)
        guard !reading.spaces.isEmpty else { return .none }
        let runs = reading.occupancy(of: space).runs
        if let run = runs.first(where: { $0.state == .occupied }) {
            return .came(at: Timestamp(microseconds: run.span.lowerBound))
        }
        return runs.contains { $0.state == .free } ? .stayedFree : .silent
    }
}

extension Reservation {
    /// Confirmed ones that time may do something to, in the order of their starts.
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
             ORDER BY starts_at, id LIMIT \(Int64(limit))
            """
    }

    fileprivate static func expired(at now: Timestamp, limit: Int, in tenant: TenantID) -> Statement<UUID> {
        """
        SELECT id FROM reservations WHERE tenant_id = \(tenant) AND status = 'pending' AND expires_at <= \(now)
         ORDER BY expires_at LIMIT \(Int64(limit))
        """
    }

    fileprivate static func lockThose(_ ids: [UUID], in tenant: TenantID) -> Statement<UUID> {
        """
        SELECT id FROM reservations WHERE tenant_id = \(tenant) AND id = ANY (\(ids)) ORDER BY id
           FOR NO KEY UPDATE SKIP LOCKED
        """
    }
}

extension Reservation.Position: RowDecodable {
    init(_ row: Row) throws {
        startsAt = (try row["starts_at"] as Timestamp).microseconds
        id = try row["id"]
    }
}
