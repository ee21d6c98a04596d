import Foundation
import Postgres
import Shared

extension APIKey {
    struct Filter: Sendable {
        var kinds: [Kind] = []
        var stores = References()
    }

    private static let columns: Fragment = """
        id, name, kind, site_id, scopes, prefix, expires_at, last_used_at, created_by, created_at, updated_at
        """

    /// In the order of creation.
    static func page(_ filter: Filter, after: UUID?, limit: Int, in scope: TenantScope) -> Statement<APIKey> {
        var conditions = [visible(in: scope)]
        if !filter.kinds.isEmpty { conditions.append("kind = ANY (\(filter.kinds.map(\.rawValue)))") }
        if !filter.stores.isEmpty {
            conditions.append("site_id IN (SELECT id FROM sites WHERE \(filter.stores.matchSite(of: scope.tenantID)))")
        }
        if let after { conditions.append("id > \(after)") }
        return """
            SELECT \(columns) FROM api_keys
             WHERE \(conditions.joined(separator: " AND "))
             ORDER BY id LIMIT \(Int64(limit))
            """
    }

    static func find(_ id: UUID, in scope: TenantScope) -> Statement<APIKey> {
        "SELECT \(columns) FROM api_keys WHERE \(visible(in: scope)) AND id = \(id)"
    }

    /// Nobody else changes it before this transaction ends.
    static func lock(_ id: UUID, in scope: TenantScope) -> Statement<APIKey> {
        "SELECT \(columns) FROM api_keys WHERE \(visible(in: scope)) AND id = \(id) FOR UPDATE"
    }

    /// - Parameter creator: nil for one that another key asked for: `created_by` is a person.
    static func insert(_ new: NewAPIKey, into tenant: TenantID, by creator: UUID?) -> Statement<APIKey> {
        """
        INSERT INTO api_keys (tenant_id, id, kind, site_id, name, prefix, sha256, scopes, created_by, expires_at)
        VALUES (\(tenant), \(new.id), \(new.kind.rawValue), \(new.siteID), \(new.name), \(new.prefix), \(new.sha256),
                \(new.scopes), \(creator), \(new.expiresAt))
        RETURNING \(columns)
        """
    }

    static func change(_ id: UUID, name: String, scopes: [String], expiresAt: Timestamp?, in tenant: TenantID)
        -> Statement<APIKey>
    {
        """
        UPDATE api_keys SET name = \(name), scopes = \(scopes), expires_at = \(expiresAt), updated_at = now()
         WHERE tenant_id = \(tenant) AND id = \(id)
        RETURNING \(columns)
        """
    }

    /// Goes on working for so many seconds, or until it expires, whichever is first.
    func expire(inSeconds seconds: Int, in tenant: TenantID) -> Command {
        """
        UPDATE api_keys
           SET expires_at = least(expires_at, now() + make_interval(secs => \(Double(seconds)))), updated_at = now()
         WHERE tenant_id = \(tenant) AND id = \(id)
        """
    }

    func revoke(in tenant: TenantID) -> Command {
        "UPDATE api_keys SET revoked_at = now(), updated_at = now() WHERE tenant_id = \(tenant) AND id = \(id)"
    }

    /// A program's key reaches all sites, so for members limited to some only keys of their stores exist.
    private static func visible(in scope: TenantScope) -> Fragment {
        let mine: Fragment = "tenant_id = \(scope.tenantID) AND revoked_at IS NULL"
        guard let sites = scope.siteIDs else { return mine }
        return "\(mine) AND site_id = ANY (\(sites))"
    }
}
