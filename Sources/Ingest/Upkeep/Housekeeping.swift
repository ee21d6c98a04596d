import Logging
import Postgres
import ServiceLifecycle
import Shared

/// What must happen now and then, as `pulsegate_system`: coming partitions, the ring of batch keys, and the bounds in time of
/// orphans, quarantine and webhook message ids. Every step may be done by several processes at once.
struct Housekeeping: Service {
    /// Seconds that orphans and their uplinks are kept after the last word of them.
    static let orphanLifetime: Int64 = 7 * 86_400
    /// Seconds that quarantined bodies are kept.
    static let quarantineLifetime: Int64 = 7 * 86_400
    /// Seconds that a webhook message's id is known: longer than any sender retries.
    static let messageLifetime: Int64 = 30 * 86_400
    /// Seconds that sessions, refresh tokens, invitations and password resets are kept after they ended, and that a key makes creating
    /// something twice creating it once.
    static let sessionLifetime: Int64 = 30 * 86_400

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
        let thisPeriod = Int32(Timestamp.now().microseconds / SampleChunk.period)
        for parent in ["sample_chunks", "uplinks"] {
            for period in thisPeriod...thisPeriod + 2 {
                await attempt("making a partition of \(parent)") {
                    _ = try await database.lookUp("SELECT make_partition(\(parent), \(period))" as Statement<Bool>)
                }
            }
        }
        for tenant in try await database.lookUp(Tenant.all()) {
            await attempt("expiring what \(tenant.slug) no longer keeps") { try await expire(tenant) }
            for step in Self.forgetting(tenant.id, .now()) {
                await attempt("forgetting sign-ins, archives and keys of \(tenant.slug)") {
                    _ = try await database.withTenant(tenant) { tx in try await tx.run(step) }
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

    private func expire(_ tenant: Tenant) async throws {
        let now = Timestamp.now()
        let orphans = try await database.withTenant(tenant) { tx -> Int32 in
            try await tx.run(
                """
                DELETE FROM orphan_uplinks
                 WHERE tenant_id = \(tenant.id) AND arrived_at < \(now.adding(seconds: -Self.orphanLifetime))
                """)
            try await tx.run(
                """
                DELETE FROM webhook_messages
                 WHERE tenant_id = \(tenant.id) AND received_at < \(now.adding(seconds: -Self.messageLifetime))
                """)
            try await tx.run(
                """
                DELETE FROM quarantine
                 WHERE tenant_id = \(tenant.id) AND received_at < \(now.adding(seconds: -Self.quarantineLifetime))
                """)
            let forgotten: Int32? = try await tx.first(
                """
                SELECT forget_orphans(\(tenant.plan.maxOrphans), \(now.adding(seconds: -Self.orphanLifetime)))
                """)
            return forgotten ?? 0
        }
        metrics.orphansForgotten.increment(by: Int(orphans))
    }

    /// What can sign nobody in any more, and archives that nobody may fetch any more; some at each turn, so that none of it takes long. Of a
    /// session that ended its tokens are kept for a while, so that a stolen one is still told from one that nobody knows.
    private static func forgetting(_ tenant: TenantID, _ now: Timestamp) -> [Command] {
        let past = now.adding(seconds: -sessionLifetime)
        return [
            """
            WITH gone AS (
                DELETE FROM refresh_tokens t USING (
                    SELECT sha256 FROM refresh_tokens WHERE tenant_id = \(tenant) AND expires_at < \(past)
                     ORDER BY expires_at LIMIT 1000) AS old
                 WHERE t.tenant_id = \(tenant) AND t.sha256 = old.sha256
                RETURNING t.session_id, t.sha256
            )
            -- A session goes with its last token; the statement still sees those that it deletes.
            DELETE FROM sessions s
             WHERE s.tenant_id = \(tenant) AND s.id IN (SELECT session_id FROM gone)
               AND NOT EXISTS (SELECT FROM refresh_tokens r
                                WHERE r.tenant_id = s.tenant_id AND r.session_id = s.id
                                  AND r.sha256 NOT IN (SELECT sha256 FROM gone))
            """,
            """
            DELETE FROM export_parts p USING (
                SELECT p.export_id, p.position FROM export_parts p
                  JOIN exports e ON e.tenant_id = p.tenant_id AND e.id = p.export_id
                 WHERE p.tenant_id = \(tenant) AND coalesce(e.expires_at, e.updated_at + interval '1 hour') < \(now)
                 LIMIT 1000) AS old
             WHERE p.tenant_id = \(tenant) AND p.export_id = old.export_id AND p.position = old.position
            """,
            """
            DELETE FROM exports e
             WHERE tenant_id = \(tenant) AND updated_at < \(past)
               AND NOT EXISTS (SELECT FROM export_parts p WHERE p.tenant_id = e.tenant_id AND p.export_id = e.id)
            """,
            """
            DELETE FROM idempotency_keys k USING (
                SELECT operation, key FROM idempotency_keys
                 WHERE tenant_id = \(tenant) AND created_at < \(past) ORDER BY created_at LIMIT 1000) AS old
             WHERE k.tenant_id = \(tenant) AND k.operation = old.operation AND k.key = old.key
            """,
            "DELETE FROM password_resets WHERE tenant_id = \(tenant) AND expires_at < \(past)",
            "DELETE FROM invitations WHERE tenant_id = \(tenant) AND expires_at < \(past)",
        ]
    }
}
