import Foundation
import Postgres
import Shared

extension AuditLog {
    struct Filter: Sendable {
        var actors: [UUID] = []
        var actions: [String] = []
        var resourceTypes: [String] = []
        var resourceIDs: [String] = []
        /// Half-open.
        var from: Timestamp?
        var to: Timestamp?
    }

    private static let columns: Fragment = """
        id, at, actor_kind, actor_id, actor_name, action, resource_type, resource_id, before, after, address, user_agent,
        request_id
        """

    /// Newest first.
    static func page(
        _ filter: Filter, before: Position?, limit: Int, for principal: Principal, in tenant: TenantID
    ) -> Statement<AuditLog> {
        var conditions = [visible(to: principal, in: tenant)]
        if !filter.actors.isEmpty { conditions.append("actor_id = ANY (\(filter.actors))") }
        if !filter.actions.isEmpty { conditions.append("action = ANY (\(filter.actions))") }
        if !filter.resourceTypes.isEmpty { conditions.append("resource_type = ANY (\(filter.resourceTypes))") }
        if !filter.resourceIDs.isEmpty { conditions.append("resource_id = ANY (\(filter.resourceIDs))") }
        if let from = filter.from { conditions.append("at >= \(from)") }
        if let to = filter.to { conditions.append("at < \(to)") }
        if let before { conditions.append("(at, id) < (\(Timestamp(microseconds: before.at)), \(before.id))") }
        return """
            SELECT \(columns) FROM audit_logs
             WHERE \(conditions.joined(separator: " AND "))
             ORDER BY at DESC, id DESC LIMIT \(Int64(limit))
            """
    }

    static func find(_ id: UUID, for principal: Principal, in tenant: TenantID) -> Statement<AuditLog> {
        "SELECT \(columns) FROM audit_logs WHERE \(visible(to: principal, in: tenant)) AND id = \(id)"
    }

    /// Entries tell of rows of all sites, so that members limited to some see what they did themselves.
    private static func visible(to principal: Principal, in tenant: TenantID) -> Fragment {
        principal.siteIDs == nil
            ? "tenant_id = \(tenant)" : "tenant_id = \(tenant) AND actor_id = \(principal.id)"
    }
}
