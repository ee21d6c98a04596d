import Foundation
import Postgres
import Shared

extension WebhookDelivery {
    /// Newest first. No status stands for all.
    static func page(
        of endpoint: UUID, _ statuses: [Status], before: UUID?, limit: Int, in tenant: TenantID
    ) -> Statement<WebhookDelivery> {
        var conditions: [Fragment] = ["d.tenant_id = \(tenant)", "d.endpoint_id = \(endpoint)"]
        if !statuses.isEmpty { conditions.append("d.status = ANY (\(statuses.map(\.rawValue)))") }
        if let before { conditions.append("d.id < \(before)") }
        return """
            \(selection)
             WHERE \(conditions.joined(separator: " AND "))
             ORDER BY d.id DESC LIMIT \(Int64(limit))
            """
    }

    /// Nobody else changes it before this transaction ends.
    ///
    /// - Parameter endpoint: nil where the path does not say it.
    static func lock(_ id: UUID, of endpoint: UUID?, in tenant: TenantID) -> Statement<WebhookDelivery> {
        let within: Fragment = endpoint.map { "AND d.endpoint_id = \($0)" } ?? ""
        return "\(selection) WHERE d.tenant_id = \(tenant) AND d.id = \(id) \(within) FOR NO KEY UPDATE OF d"
    }

    static func find(_ id: UUID, in tenant: TenantID) -> Statement<WebhookDelivery> {
        "\(selection) WHERE d.tenant_id = \(tenant) AND d.id = \(id)"
    }

    /// Due now, and as if it had never been tried.
    static func resend(_ id: UUID, in tenant: TenantID) -> Command {
        """
        UPDATE webhook_deliveries
           SET status = 'pending', attempts = 0, next_attempt_at = now(), give_up_at = now() + interval '3 days',
               delivered_at = NULL, updated_at = now()
         WHERE tenant_id = \(tenant) AND id = \(id)
        """
    }

    private static let selection: Fragment = """
        SELECT d.id, d.endpoint_id, d.event_id, e.type AS event_type, d.status, d.attempts, d.next_attempt_at, d.last_attempt_at,
               d.last_status, d.last_error, d.delivered_at, d.created_at, d.updated_at
          FROM webhook_deliveries d JOIN events e ON e.tenant_id = d.tenant_id AND e.id = d.event_id
        """

    /// What waited for an endpoint that was switched off is due when it is switched on.
    static func hurry(to endpoint: UUID, in tenant: TenantID) -> Command {
        """
        UPDATE webhook_deliveries SET next_attempt_at = now(), updated_at = now()
         WHERE tenant_id = \(tenant) AND endpoint_id = \(endpoint) AND status = 'pending' AND next_attempt_at > now()
        """
    }
}
