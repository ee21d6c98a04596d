import Foundation
import Logging
import Postgres
import Shared

/// Deletes what has been kept long enough, in portions that each take a moment.
struct Cleanup: Job {
    /// Seconds after which a draft that nobody touched is deleted, and that events and finished notifications are kept.
    static let lifetime: Int64 = 30 * 86_400
    /// Seconds that runs of jobs are kept.
    static let runLifetime: Int64 = 90 * 86_400
    /// Runs of one job that are kept at most.
    static let runsKept = 10_000

    let kind = JobKind.cleanup
    /// As `pulsegate_system`.
    let database: Database
    let logger: Logger

    func run(at now: Timestamp) async throws -> Int {
        var gone = 0
        for job in JobKind.allCases {
            gone += try await repeated { try await runs(of: job, at: now) }
        }
        return gone
            + (try await database.tenantByTenant(includingInactive: true, logger) { tenant in
                try await clean(tenant, at: now)
            })
    }

    private func clean(_ tenant: Tenant, at now: Timestamp) async throws -> Int {
        let past = now.adding(seconds: -Self.lifetime)
        var gone = try await repeated { try await deleteDrafts(of: tenant, before: past) }
        gone += try await repeated { try await deleteEvents(of: tenant, before: past) }
        gone += try await database.forget(Self.notifications(before: past, in: tenant.id), of: tenant)
        let orphans = try await database.withTenant(tenant) { tx in
            try await tx.first(Forgetting.orphans(of: tenant, at: now))
        }
        gone += Int(orphans ?? 0)
        for step in Forgetting.steps(tenant.id, at: now) {
            gone += try await database.forget(step, of: tenant)
        }
        return gone
    }

    /// Until less than a portion is left.
    private func repeated(_ portion: () async throws -> Int) async throws -> Int {
        var (gone, last) = (0, 0)
        repeat {
            try Task.checkCancellation()
            last = try await portion()
            gone += last
        } while last >= Forgetting.portion
        return gone
    }

    private func runs(of job: JobKind, at now: Timestamp) async throws -> Int {
        let delete = JobRun.forget(job, before: now.adding(seconds: -Self.runLifetime), keeping: Self.runsKept)
        return try await database.pool.withConnection { try await $0.run(delete) }
    }

    private func deleteDrafts(of tenant: Tenant, before past: Timestamp) async throws -> Int {
        try await database.withTenant(tenant) { tx in
            let drafts = try await tx.all(StaleDraft.delete(before: past, in: tx.tenantID))
            let trail = AuditTrail(of: "cleanup", in: tx.tenantID)
            try await tx.run(all: drafts.map { trail.deleted(.purchaseRequestDeleted, $0) })
            return drafts.count
        }
    }

    /// Their deliveries first. One that is to be sent again meanwhile keeps its event.
    private func deleteEvents(of tenant: Tenant, before past: Timestamp) async throws -> Int {
        try await database.withTenant(tenant) { tx in
            let old = try await tx.all(Self.events(before: past, in: tx.tenantID))
            guard !old.isEmpty else { return 0 }
            try await tx.run(Self.deleteDeliveries(of: old, in: tx.tenantID))
            return try await tx.run(Self.deleteEvents(old, in: tx.tenantID))
        }
    }
}
