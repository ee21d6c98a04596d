import Logging
import Postgres
import ServiceLifecycle
import Shared

/// What must happen now and then, as `pulsegate_system`: coming partitions, the ring of batch keys, and the bounds in time of
/// orphans, quarantine and webhook message ids. Every step may be done by several processes at once.
struct Housekeeping: Service {
    let database: Database
    let interval: Duration
    let metrics: IngestMetrics
    let logger: Logger

    func run() async throws {
        await repeatUntilShutdown(every: interval, logger: logger) {
            try await keepOnce()
        }
    }

    /// Every step by itself: one that fails is told and tried again at the next turn, and holds up none of the others.
    func keepOnce() async throws {
        await attempt("turning the ring of batch keys") {
            _ = try await database.lookUp("SELECT turn_batch_key_ring()" as Statement<Bool>)
        }
        let now = Timestamp.now()
        for (parent, make) in ComingPartitions.wanted(at: now) {
            await attempt("making a partition of \(parent)") { _ = try await database.lookUp(make) }
        }
        for tenant in try await database.lookUp(Tenant.all()) {
            await attempt("forgetting orphans of \(tenant.slug)") {
                let gone = try await database.withTenant(tenant) { tx in
                    try await tx.first(Forgetting.orphans(of: tenant, at: now))
                }
                metrics.orphansForgotten.increment(by: Int(gone ?? 0))
            }
            for step in Forgetting.steps(tenant.id, at: now) {
                await attempt("forgetting what \(tenant.slug) no longer keeps") {
                    _ = try await database.forget(step, of: tenant)
                }
            }
        }
    }

    private func attempt(_ what: String, _ step: () async throws -> Void) async {
        guard !Task.isCancelled else { return }
        do {
            try await step()
        } catch {
            logger.warning("housekeeping failed", metadata: ["step": "\(what)", "reason": "\(error)"])
        }
    }
}
