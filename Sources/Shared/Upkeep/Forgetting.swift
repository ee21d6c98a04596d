import Postgres

/// What is kept for a time only, as `pulsegate_system`: one place for how long, and for the statements that forget it. Every one may be run
/// by several processes at once.
package enum Forgetting {
    /// Seconds that orphans and their uplinks are kept after the last word of them.
    package static let orphanLifetime: Int64 = 7 * 86_400
    /// Seconds that quarantined bodies are kept.
    package static let quarantineLifetime: Int64 = 7 * 86_400
    /// Seconds that a webhook message's id is known: longer than any sender retries.
    package static let messageLifetime: Int64 = 30 * 86_400
    /// Seconds that sessions, refresh tokens, invitations and password resets are kept after they ended, and that a key makes creating
    /// something twice creating it once.
    package static let sessionLifetime: Int64 = 30 * 86_400

    /// Rows that one statement takes at most, so that none of it takes long: it is run again while it finds as many.
    package static let portion = 1_000

    /// Orphans that went quiet and those beyond the plan's bound.
    /// - Returns: how many went.
    package static func orphans(of tenant: Tenant, at now: Timestamp) -> Statement<Int32> {
        "SELECT forget_orphans(\(tenant.plan.maxOrphans), \(now.adding(seconds: -orphanLifetime)))"
    }

    /// What came from network servers, and sign-ins, archives and keys that nobody can use any more.
    package static func steps(_ tenant: TenantID, at now: Timestamp) -> [Command] {
        arrivals(tenant, at: now) + signIns(tenant, at: now)
    }

    private static func arrivals(_ tenant: TenantID, at now: Timestamp) -> [Command] {
        let quiet = now.adding(seconds: -orphanLifetime)
        let settled = now.adding(seconds: -quarantineLifetime)
        let known = now.adding(seconds: -messageLifetime)
        return [
            """
            DELETE FROM orphan_uplinks u USING (
                SELECT owner_id, id FROM orphan_uplinks
                 WHERE tenant_id = \(tenant) AND arrived_at < \(quiet) ORDER BY arrived_at LIMIT \(Int64(portion))) AS old
             WHERE u.tenant_id = \(tenant) AND u.owner_id = old.owner_id AND u.id = old.id
            """,
            """
            DELETE FROM webhook_messages m USING (
                SELECT integration_id, id_hash FROM webhook_messages
                 WHERE tenant_id = \(tenant) AND received_at < \(known) ORDER BY received_at LIMIT \(Int64(portion))) AS old
             WHERE m.tenant_id = \(tenant) AND m.integration_id = old.integration_id AND m.id_hash = old.id_hash
            """,
            """
            DELETE FROM quarantine q USING (
                SELECT id FROM quarantine
                 WHERE tenant_id = \(tenant) AND received_at < \(settled) ORDER BY received_at LIMIT \(Int64(portion))) AS old
             WHERE q.tenant_id = \(tenant) AND q.id = old.id
            """,
        ]
    }

    /// What can sign nobody in any more, and archives that nobody may fetch any more. Of a session that ended its tokens are kept for a
    /// while, so that a stolen one is still told from one that nobody knows.
    private static func signIns(_ tenant: TenantID, at now: Timestamp) -> [Command] {
        let past = now.adding(seconds: -sessionLifetime)
        return [
            """
            WITH old AS MATERIALIZED (
                SELECT sha256, session_id FROM refresh_tokens
                 WHERE tenant_id = \(tenant) AND expires_at < \(past) ORDER BY expires_at LIMIT \(Int64(portion))
            ), ended AS (
                -- A session goes with its last token; the statement still sees those that it deletes.
                DELETE FROM sessions s
                 WHERE s.tenant_id = \(tenant) AND s.id IN (SELECT session_id FROM old)
                   AND NOT EXISTS (SELECT FROM refresh_tokens r
                                    WHERE r.tenant_id = s.tenant_id AND r.session_id = s.id
                                      AND r.sha256 NOT IN (SELECT sha256 FROM old))
            )
            DELETE FROM refresh_tokens t USING old WHERE t.tenant_id = \(tenant) AND t.sha256 = old.sha256
            """,
            """
            DELETE FROM export_parts p USING (
                SELECT p.export_id, p.position FROM export_parts p
                  JOIN exports e ON e.tenant_id = p.tenant_id AND e.id = p.export_id
                 WHERE p.tenant_id = \(tenant) AND coalesce(e.expires_at, e.updated_at + interval '1 hour') < \(now)
                 LIMIT \(Int64(portion))) AS old
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
                 WHERE tenant_id = \(tenant) AND created_at < \(past) ORDER BY created_at LIMIT \(Int64(portion))) AS old
             WHERE k.tenant_id = \(tenant) AND k.operation = old.operation AND k.key = old.key
            """,
            "DELETE FROM password_resets WHERE tenant_id = \(tenant) AND expires_at < \(past)",
            "DELETE FROM invitations WHERE tenant_id = \(tenant) AND expires_at < \(past)",
        ]
    }
}

extension Database {
    /// Runs a step of ``Forgetting`` until it finds nothing more, each time in a transaction of its own.
    /// - Returns: how many rows went.
    package func forget(_ step: Command, of tenant: Tenant) async throws -> Int {
        var (gone, last) = (0, 0)
        repeat {
            try Task.checkCancellation()
            last = try await withTenant(tenant) { tx in try await tx.run(step) }
            gone += last
        } while last >= Forgetting.portion
        return gone
    }
}
