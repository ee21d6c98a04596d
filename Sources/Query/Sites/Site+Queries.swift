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
        "SELECT \(columns) FROM sites WHERE \(named(reference, kind, in: scope))"
    }

    /// Nobody else changes it, or puts anything into it, before this transaction ends.
    static func lock(_ reference: References, _ kind: Kind?, in scope: TenantScope) -> Statement<Site> {
        "SELECT \(columns) FROM sites WHERE \(named(reference, kind, in: scope)) FOR NO KEY UPDATE"
    }

    /// Nobody moves goods there either, before this transaction ends.
    static func lockWithStock(_ reference: References, _ kind: Kind?, in scope: TenantScope) -> Statement<Site> {
        "SELECT \(columns) FROM sites WHERE \(named(reference, kind, in: scope)) FOR UPDATE"
    }

    /// Whether goods are there, may come back there, or are to be bought for it.
    static func hasGoods(_ id: UUID, in tenant: TenantID) -> Statement<Bool> {
        """
        SELECT EXISTS (SELECT FROM stock_levels WHERE tenant_id = \(tenant) AND site_id = \(id) AND quantity > 0)
            OR EXISTS (SELECT FROM vales WHERE tenant_id = \(tenant) AND site_id = \(id) AND deleted_at IS NULL AND status = 'issued')
            OR EXISTS (SELECT FROM purchase_requests
                        WHERE tenant_id = \(tenant) AND site_id = \(id) AND deleted_at IS NULL
                          AND status IN ('draft', 'submitted', 'approved'))
        """
    }

    /// Nobody deletes it before this transaction ends.
    static func hold(_ id: UUID, in scope: TenantScope) -> Statement<UUID> {
        "SELECT id FROM sites WHERE \(visible(in: scope)) AND id = \(id) FOR SHARE"
    }

    private static func named(_ reference: References, _ kind: Kind?, in scope: TenantScope) -> Fragment {
        var conditions = [visible(in: scope), reference.match(id: "id", code: "code")]
        if let kind { conditions.append("kind = \(kind.rawValue)") }
        return "\(conditions.joined(separator: " AND "))"
    }

    static func insert(_ new: SiteFields, into tenant: TenantID) -> Statement<Site> {
        """
        INSERT INTO sites (tenant_id, id, code, name, kind, timezone, address, latitude, longitude, expected_interval_s, settings)
        VALUES (\(tenant), \(UUID.v7()), \(new.code), \(new.name), \(new.kind.rawValue), \(new.timezone), \(new.address),
                \(new.latitude), \(new.longitude), \(new.expectedInterval), \(new.settings))
        RETURNING \(columns)
        """
    }

    static func update(_ id: UUID, _ fields: SiteFields, in tenant: TenantID) -> Statement<Site> {
        """
        UPDATE sites
           SET code = \(fields.code), name = \(fields.name), kind = \(fields.kind.rawValue), timezone = \(fields.timezone),
               address = \(fields.address), latitude = \(fields.latitude), longitude = \(fields.longitude),
               expected_interval_s = \(fields.expectedInterval), settings = \(fields.settings), updated_at = now()
         WHERE tenant_id = \(tenant) AND id = \(id)
        RETURNING \(columns)
        """
    }

    /// The site with its spaces; its devices go on being the tenant's and stand nowhere.
    static func delete(_ id: UUID, in tenant: TenantID) -> [Command] {
        [
            // In the order in which an import locks them.
            """
            SELECT FROM devices d
             WHERE d.tenant_id = \(tenant) AND d.deleted_at IS NULL
               AND (d.site_id = \(id) OR d.space_id IN (SELECT id FROM spaces WHERE tenant_id = \(tenant) AND site_id = \(id)))
             ORDER BY d.device_eui FOR UPDATE
            """,
            """
            UPDATE devices d SET site_id = NULL, space_id = NULL, updated_at = now()
             WHERE d.tenant_id = \(tenant) AND d.deleted_at IS NULL
               AND (d.site_id = \(id) OR d.space_id IN (SELECT id FROM spaces WHERE tenant_id = \(tenant) AND site_id = \(id)))
            """,
            """
            UPDATE spaces SET deleted_at = now(), updated_at = now()
             WHERE tenant_id = \(tenant) AND site_id = \(id) AND deleted_at IS NULL
            """,
            "UPDATE sites SET deleted_at = now(), updated_at = now() WHERE tenant_id = \(tenant) AND id = \(id)",
        ]
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
