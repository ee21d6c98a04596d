import Foundation
import Postgres
import Shared

extension Space {
    struct Filter: Hashable, Sendable {
        var sites = References()
        var kinds: [Kind] = []
        var states: [State] = []
    }

    private static let columns: Fragment = """
        v.id, v.site_id, v.code, v.name, v.kind, v.floor, v.capacity, v.is_bookable, v.opening_hours, v.metadata,
        v.state, v.state_since, v.device_eui, v.created_at, v.updated_at
        """

    /// In the order of creation.
    static func page(_ filter: Filter, after: UUID?, limit: Int, in scope: TenantScope) -> Statement<Space> {
        var conditions = [visible(in: scope)]
        if !filter.sites.isEmpty {
            conditions.append("v.site_id IN (SELECT id FROM sites WHERE \(filter.sites.matchSite(of: scope.tenantID)))")
        }
        if !filter.kinds.isEmpty { conditions.append("v.kind = ANY (\(filter.kinds.map(\.rawValue)))") }
        if !filter.states.isEmpty { conditions.append("v.state = ANY (\(filter.states.map(\.rawValue)))") }
        if let after { conditions.append("v.id > \(after)") }
        return """
            SELECT \(columns) FROM v_spaces v
             WHERE \(conditions.joined(separator: " AND "))
             ORDER BY v.id LIMIT \(Int64(limit))
            """
    }

    static func find(_ id: UUID, in scope: TenantScope) -> Statement<Space> {
        "SELECT \(columns) FROM v_spaces v WHERE \(visible(in: scope)) AND v.id = \(id)"
    }

    private static func visible(in scope: TenantScope) -> Fragment {
        "v.tenant_id = \(scope.tenantID) AND \(scope.sees(site: "v.site_id"))"
    }
}
