import Foundation
import Postgres
import Shared

/// Keeps authenticated bodies that nobody could read, so that a fix can read them: their senders do not retry.
struct Quarantine: Sendable {
    let database: Database
    /// Told how many bodies were dropped for want of room.
    let dropped: @Sendable (Int) -> Void

    /// Stores a body, once however often it comes with its key, and drops the oldest beyond the tenant's bound.
    func keep(_ body: VerifiedBody, from source: WebhookSource, at now: Timestamp, reason: String) async throws {
        let tenant = source.tenant
        let gone = try await database.withTenant(tenant) { tx in
            try await tx.run(
                """
                INSERT INTO quarantine (tenant_id, id, integration_id, reason, content_type, body, received_at)
                VALUES (\(tenant.id), \(source.key), \(source.integrationID), \(reason), \(source.contentType.map { String($0.prefix(200)) }),
                        \(body.bytes), \(now))
                ON CONFLICT DO NOTHING
                """)
            return try await tx.run(
                """
                DELETE FROM quarantine
                 WHERE tenant_id = \(tenant.id)
                   AND id IN (SELECT id FROM quarantine WHERE tenant_id = \(tenant.id)
                               ORDER BY received_at DESC, id DESC OFFSET \(tenant.plan.maxQuarantined))
                """)
        }
        if gone > 0 { dropped(gone) }
    }
}
