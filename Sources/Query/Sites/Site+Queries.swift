import Foundation
import Postgres
import Shared

extension Site {
    private static let columns: Fragment = """
        id, code, name, kind, timezone, address, latitude, longitude, expected_interval_s, settings, created_at,
        updated_at
        """

    /// In the order of creation. No kind stands for all.
    static func page(_ kinds: [Kind], after: UUID?, limit: Int, in scope: TenantScope) -> Statement<Site> {
        var conditions = [visible(in: scope)]
        if !kinds.isEmpty { conditions.append("kind = ANY (\(kinds.map(\.rawValue)))") }
        if let after { conditions.append("id > \(after)") }
        return """
            SELECT \(columns) FROM sites
             WHERE \(conditions.joined(separator: " AND "))
             ORDER BY id LIMIT \(Int64(limit))
            """
    }

    static func find(_ reference: References, _ kind: Kind?, in scope: TenantScope) -> Statement<Site> {
        var conditions = [visible(in: scope), reference.match(id: "id", code: "code")]
        if let kind { conditions.append("kind = \(kind.rawValue)") }
        return "SELECT \(columns) FROM sites WHERE \(conditions.joined(separator: " AND "))"
    }

    static func insert(_ new: NewSite, into tenant: TenantID) -> Statement<Site> {
        """
        INSERT INTO sites (tenant_id, id, code, name, kind, timezone, address, latitude, longitude, expected_interval_s, settings)
        VALUES (\(tenant), \(UUID.v7()), \(new.code), \(new.name), \(new.kind.rawValue), \(new.timezone), \(new.address),
                \(new.latitude), \(new.longitude), \(new.expectedInterval), \(new.settings))
        RETURNING \(columns)
        """
    }

    private static func visible(in scope: TenantScope) -> Fragment {
        "tenant_id = \(scope.tenantID) AND deleted_at IS NULL AND \(scope.sees(site: "id"))"
    }
}

extension Site {
    /// How many of these there are.
    static func count(_ ids: [UUID], in tenant: TenantID) -> Statement<Int64> {
        "SELECT count(*) FROM sites WHERE tenant_id = \(tenant) AND id = ANY (\(ids)) AND deleted_at IS NULL"
    }
}
