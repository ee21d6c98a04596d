import Foundation
import Postgres
import Shared

/// Keeps authenticated bodies that nobody could read, so that a fix can read them: their senders do not retry.
struct Quarantine: Sendable {
    let database: Database
    /// Told how many bodies were dropped for want of room.
    let dropped: @Sendable (Int) -> Void

    /// Stores a body and drops the oldest beyond the tenant's bound.
    func keep(_ body: VerifiedBody, from source: WebhookSource, reason: String) async throws {
        let tenant = source.tenant
        let gone = try await database.withTenant(tenant) { tx in
            try await tx.run(
                """
                INSERT INTO quarantine (tenant_id, id, integration_id, reason, content_type, body)
                VALUES (\(tenant.id), \(UUID.v7()), \(source.integrationID), \(reason), \(source.contentType.map { String($0.prefix(200)) }),
                        \(body.bytes))
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
