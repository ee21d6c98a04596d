import Foundation
import Postgres
import Shared

extension WebhookEndpoint {
    /// Of a tenant: each event is owed to each of them. A few more may come of requests at once.
    static let most: Int64 = 50

    static func count(in tenant: TenantID) -> Statement<Int64> {
        "SELECT count(*) FROM webhook_endpoints WHERE tenant_id = \(tenant) AND deleted_at IS NULL"
    }

    private static let columns: Fragment = "id, url, event_types, is_active, disabled_reason, created_at, updated_at"

    /// In the order of creation.
    static func page(after: UUID?, limit: Int, in tenant: TenantID) -> Statement<WebhookEndpoint> {
        let since: Fragment = after.map { "AND id > \($0)" } ?? ""
        return """
            SELECT \(columns) FROM webhook_endpoints
             WHERE tenant_id = \(tenant) AND deleted_at IS NULL \(since) ORDER BY id LIMIT \(Int64(limit))
            """
    }

    static func find(_ id: UUID, in tenant: TenantID) -> Statement<WebhookEndpoint> {
        "SELECT \(columns) FROM webhook_endpoints WHERE tenant_id = \(tenant) AND id = \(id) AND deleted_at IS NULL"
    }

    /// Nobody else changes it before this transaction ends.
    static func lock(_ id: UUID, in tenant: TenantID) -> Statement<WebhookEndpoint> {
        """
        SELECT \(columns) FROM webhook_endpoints WHERE tenant_id = \(tenant) AND id = \(id) AND deleted_at IS NULL
           FOR NO KEY UPDATE
        """
    }

    static func insert(_ new: WebhookEndpointFields, into tenant: TenantID) -> Statement<WebhookEndpoint> {
        """
        INSERT INTO webhook_endpoints (tenant_id, id, url, event_types, is_active)
        VALUES (\(tenant), \(UUID.v7()), \(new.url), \(new.eventTypes), \(new.isActive))
        RETURNING \(columns)
        """
    }

    /// One that is switched on again has no reason to be off.
    static func update(
        _ id: UUID, _ fields: WebhookEndpointFields, in tenant: TenantID
    ) -> Statement<WebhookEndpoint> {
        """
        UPDATE webhook_endpoints
           SET url = \(fields.url), event_types = \(fields.eventTypes), is_active = \(fields.isActive),
               disabled_reason = CASE WHEN \(fields.isActive) THEN NULL ELSE disabled_reason END, updated_at = now()
         WHERE tenant_id = \(tenant) AND id = \(id)
        RETURNING \(columns)
        """
    }

    /// By ourselves.
    static func switchOff(_ id: UUID, because reason: String, in tenant: TenantID) -> Statement<WebhookEndpoint> {
        """
        UPDATE webhook_endpoints SET is_active = false, disabled_reason = \(reason), updated_at = now()
         WHERE tenant_id = \(tenant) AND id = \(id)
        RETURNING \(columns)
        """
    }

    /// With its secrets; what was on its way is given up.
    static func delete(_ id: UUID, in tenant: TenantID) -> [Command] {
        [
            "DELETE FROM webhook_secrets WHERE tenant_id = \(tenant) AND endpoint_id = \(id)",
            """
            UPDATE webhook_deliveries SET status = 'dead', last_error = \(DueDelivery.deleted), updated_at = now()
             WHERE tenant_id = \(tenant) AND endpoint_id = \(id) AND status = 'pending'
            """,
            """
            UPDATE webhook_endpoints SET deleted_at = now(), updated_at = now(), is_active = false
             WHERE tenant_id = \(tenant) AND id = \(id)
            """,
        ]
    }
}
