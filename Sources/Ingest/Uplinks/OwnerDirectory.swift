import Foundation
import Postgres
import Shared
import Synchronization

/// Whose an EUI is: a device of the tenant or an orphan, which is made here when the EUI is new.
///
/// Remembered for long, since the group that writes the uplinks looks again under its lock and sends stale ones back.
final class OwnerDirectory: Sendable {
    private struct Key: Hashable {
        let tenant: TenantID
        let deviceEUI: DeviceEUI
    }

    private struct Found: RowDecodable {
        let deviceEUI: DeviceEUI
        let owner: UplinkOwner

        init(_ row: Row) throws {
            deviceEUI = try row["device_eui"]
            owner = try UplinkOwner(row)
        }
    }

    private let remembered = Mutex<[Key: UplinkOwner]>([:])
    private let newOrphans = Mutex<[TenantID: TokenBucket]>([:])
    private let database: Database
    private let capacity: Int
    private let patience: Duration
    private let forgotten: @Sendable (Int) -> Void

    /// - Parameters:
    ///   - capacity: owners remembered at most.
    ///   - patience: how long the database may take to say what is not remembered; then ``Overdue`` is thrown.
    ///   - forgotten: told how many orphans were dropped for want of room.
    init(
        database: Database, capacity: Int, patience: Duration, forgotten: @escaping @Sendable (Int) -> Void
    ) {
        self.database = database
        self.capacity = capacity
        self.patience = patience
        self.forgotten = forgotten
    }

    /// - Parameter isAdmitted: new EUIs are taken in however many they are; the bound on a tenant's orphans holds all the same.
    /// - Throws: `Problem` 429 when the tenant brings new EUIs faster than orphans are taken in.
    func owners(
        of deviceEUIs: Set<DeviceEUI>, tenant: Tenant, integrationID: UUID, seenAt: Timestamp, isAdmitted: Bool = false
    ) async throws -> [DeviceEUI: UplinkOwner] {
        var owners = remembered.withLock { remembered in
            deviceEUIs.reduce(into: [DeviceEUI: UplinkOwner]()) { owners, eui in
                owners[eui] = remembered[Key(tenant: tenant.id, deviceEUI: eui)]
            }
        }
        let unknown = deviceEUIs.subtracting(owners.keys)
        guard !unknown.isEmpty else { return owners }
        let found = try await patience.orOverdue { try await self.find(unknown, tenant: tenant) }
        let new = unknown.subtracting(found.keys)
        if !new.isEmpty, !isAdmitted { try admit(new.count, tenant) }
        let made =
            new.isEmpty
            ? [:] : try await patience.orOverdue { try await self.makeOrphans(new, tenant, integrationID, seenAt) }
        let learned = found.merging(made) { first, _ in first }
        remember(learned, tenant)
        owners.merge(learned) { first, _ in first }
        return owners
    }

    /// Looks up in one go those of many that there are, for who will ask for each of them.
    func learn(_ deviceEUIs: Set<DeviceEUI>, of tenant: Tenant) async throws {
        let unknown = remembered.withLock { remembered in
            deviceEUIs.filter { remembered[Key(tenant: tenant.id, deviceEUI: $0)] == nil }
        }
        if !unknown.isEmpty { remember(try await find(unknown, tenant: tenant), tenant) }
    }

    func invalidate(_ tenant: TenantID) {
        remembered.withLock { remembered in remembered = remembered.filter { $0.key.tenant != tenant } }
    }

    func invalidateAll() {
        remembered.withLock { $0.removeAll() }
    }

    func forget(_ deviceEUIs: Set<DeviceEUI>, of tenant: TenantID) {
        remembered.withLock { remembered in
            for eui in deviceEUIs { remembered[Key(tenant: tenant, deviceEUI: eui)] = nil }
        }
    }

    private func remember(_ learned: [DeviceEUI: UplinkOwner], _ tenant: Tenant) {
        remembered.withLock { remembered in
            if remembered.count + learned.count > capacity { remembered.removeAll(keepingCapacity: true) }
            for (eui, owner) in learned { remembered[Key(tenant: tenant.id, deviceEUI: eui)] = owner }
        }
    }

    /// Each known owner with a state row to lock.
    private func find(_ deviceEUIs: Set<DeviceEUI>, tenant: Tenant) async throws -> [DeviceEUI: UplinkOwner] {
        let wanted = deviceEUIs.map(\.rawValue)
        let found = try await database.withTenant(tenant) { tx in
            let found = try await tx.all(Self.find(wanted, tenant.id))
            if !found.isEmpty { try await tx.run(Self.makeStates(found.map(\.owner.id), tenant.id)) }
            return found
        }
        return Self.byEUI(found)
    }

    /// Tenant by tenant under an advisory lock, so that two new orphans never pass the bound together, and that none is made of
    /// a device that is being registered: registration holds the same lock.
    private func makeOrphans(
        _ deviceEUIs: Set<DeviceEUI>, _ tenant: Tenant, _ integrationID: UUID, _ seenAt: Timestamp
    ) async throws -> [DeviceEUI: UplinkOwner] {
        let wanted = deviceEUIs.map(\.rawValue).sorted()
        let ids = wanted.map { _ in UUID.v7() }
        let (found, dropped) = try await database.withTenant(tenant) { tx in
            try await tx.run("SELECT pg_advisory_xact_lock(7310003, \(tenant.id))")
            let dropped: Int32? = try await tx.first(
                """
                SELECT forget_orphans(\(tenant.plan.maxOrphans - Int32(wanted.count)), '-infinity')
                """)
            try await tx.run(
                """
                INSERT INTO orphan_devices (tenant_id, id, device_eui, integration_id, first_seen_at, last_seen_at)
                SELECT \(tenant.id), w.id, w.device_eui, \(integrationID), \(seenAt), \(seenAt)
                  FROM unnest(\(ids), \(wanted)) AS w (id, device_eui)
                 WHERE NOT EXISTS (SELECT FROM devices d WHERE d.tenant_id = \(tenant.id)
                                      AND d.device_eui = w.device_eui AND d.deleted_at IS NULL)
                ON CONFLICT DO NOTHING
                """)
            let found = try await tx.all(Self.find(wanted, tenant.id))
            try await tx.run(Self.makeStates(found.map(\.owner.id), tenant.id))
            return (found, dropped ?? 0)
        }
        if dropped > 0 { forgotten(Int(dropped)) }
        return Self.byEUI(found)
    }

    private static func byEUI(_ found: [Found]) -> [DeviceEUI: UplinkOwner] {
        Dictionary(found.map { ($0.deviceEUI, $0.owner) }, uniquingKeysWith: { first, _ in first })
    }

    private func admit(_ count: Int, _ tenant: Tenant) throws {
        let (now, rate) = (ContinuousClock.now, tenant.plan.newOrphansPerSecond)
        let refusal = newOrphans.withLock { buckets -> Problem? in
            var bucket = buckets[tenant.id] ?? TokenBucket(rate: rate, burst: rate * 10, now: now)
            defer { buckets[tenant.id] = bucket }
            // A body never holds more than the burst, so whoever waits as told gets in.
            return bucket.take(min(Double(count), bucket.burst), at: now)
                .map { wait in
                    .tooManyRequests(
                        RateLimitPolicy("new_devices", rate: bucket.rate, burst: bucket.burst),
                        retryAfter: Int(wait.rounded(.up)))
                }
        }
        if let refusal { throw refusal }
    }

    /// A device, else an orphan: an EUI that is both for a moment is a device. One after the other, so that each goes by its
    /// index however few devices the planner takes a tenant to have.
    private static func find(_ deviceEUIs: [String], _ tenant: TenantID) -> Statement<Found> {
        """
        SELECT w.device_eui, d.owner_id, coalesce(p.occupied_field, 'occupied') AS occupied_field,
               coalesce(p.expected_interval_s, 3600) AS expected_interval_s, false AS is_ignored
          FROM unnest(\(deviceEUIs)) AS w (device_eui),
               LATERAL (SELECT * FROM devices d
                         WHERE d.tenant_id = \(tenant) AND d.device_eui = w.device_eui AND d.deleted_at IS NULL LIMIT 1) d
               LEFT JOIN LATERAL (SELECT * FROM device_profiles p
                                   WHERE p.tenant_id = d.tenant_id AND p.id = d.profile_id LIMIT 1) p ON true
        UNION ALL
        SELECT w.device_eui, o.owner_id, NULL, NULL, o.ignored_at IS NOT NULL
          FROM unnest(\(deviceEUIs)) AS w (device_eui),
               LATERAL (SELECT * FROM orphan_devices o
                         WHERE o.tenant_id = \(tenant) AND o.device_eui = w.device_eui LIMIT 1) o
        """
    }

    private static func makeStates(_ owners: [Int32], _ tenant: TenantID) -> Command {
        """
        INSERT INTO device_states (tenant_id, owner_id) SELECT \(tenant), * FROM unnest(\(owners.sorted()))
        ON CONFLICT DO NOTHING
        """
    }
}
