import Foundation
import Postgres
import Shared

/// A row on its way into an archive, and where it stands in its table's order.
struct ExportRow<Key: ExportKey>: RowDecodable {
    let key: Key
    let json: String

    init(_ row: Row) throws {
        key = try Key(exported: row)
        json = try row["json"]
    }
}

/// What a table is read in the order of.
protocol ExportKey: Sendable {
    init(exported row: Row) throws
}

struct IDKey: ExportKey {
    let id: UUID

    init(exported row: Row) throws { id = try row["key"] }
}

struct OrphanUplinkKey: ExportKey {
    let owner: Int32
    let id: Int64

    init(exported row: Row) throws {
        owner = try row["owner_id"]
        id = try row["id"]
    }
}

struct UplinkKey: ExportKey {
    let owner: Int32
    let receivedAt: Timestamp
    let epoch: Int32
    let fcnt: Int64

    init(exported row: Row) throws {
        owner = try row["owner_id"]
        receivedAt = try row["received_at"]
        epoch = try row["epoch"]
        fcnt = try row["fcnt"]
    }
}

/// The tables of an archive, each a page at a time: every row that the tenant has but for samples. Hashes and sealed secrets are left out:
/// they are of no use elsewhere.
enum ExportTables {
    typealias Page<Key: ExportKey> = @Sendable (TenantID, Key?) -> Statement<ExportRow<Key>>

    static let pageSize: Int64 = 1_000

    static let byID: [(name: String, page: Page<IDKey>)] = [
        ("sites", rows(of: "sites")), ("spaces", rows(of: "spaces")), ("device-profiles", rows(of: "device_profiles")),
        ("devices", rows(of: "devices")), ("orphan-devices", rows(of: "orphan_devices")), ("users", users),
        ("invitations", rows(of: "invitations")), ("roles", rows(of: "roles")), ("api-keys", rows(of: "api_keys")),
        ("integrations", rows(of: "integrations")), ("reservations", rows(of: "reservations")),
        ("calendar-feeds", rows(of: "calendar_feeds")), ("space-devices", rows(of: "space_devices")),
        ("suppliers", rows(of: "suppliers")), ("products", rows(of: "products")),
        ("stock-movements", rows(of: "stock_movements")), ("stock-transfers", rows(of: "stock_transfers")),
        ("vales", vales), ("purchase-requests", purchaseRequests), ("alerts", rows(of: "alerts")),
        ("alert-comments", rows(of: "alert_comments")), ("events", rows(of: "events")),
        ("webhook-endpoints", rows(of: "webhook_endpoints")), ("webhook-deliveries", rows(of: "webhook_deliveries")),
        ("notifications", rows(of: "notifications")), ("weekly-reports", rows(of: "weekly_reports")),
        ("quarantine", rows(of: "quarantine", limit: 1)), // a body may have a mebibyte
        ("audit-logs", rows(of: "audit_logs")),
    ]

    static func tenant(_ tenant: TenantID) -> Statement<String> {
        "SELECT (to_jsonb(t) - 'id')::text FROM tenants t WHERE t.id = \(tenant)"
    }

    /// Of a table with an id: all columns but those that mean something here alone.
    private static func rows(of table: Fragment, limit: Int64 = pageSize) -> Page<IDKey> {
        { tenant, after in
            """
            SELECT id AS key, (to_jsonb(t) - '{tenant_id,sha256,own_role}'::text[])::text AS json FROM \(table) t
             WHERE tenant_id = \(tenant) AND id > \(after?.id ?? first) ORDER BY id LIMIT \(limit)
            """
        }
    }

    private static let vales: Page<IDKey> = { tenant, after in
        """
        SELECT v.id AS key, (to_jsonb(v) - 'tenant_id' || jsonb_build_object('lines', (
                   SELECT jsonb_agg(to_jsonb(l) - 'tenant_id' - 'vale_id' ORDER BY l.position) FROM vale_lines l
                    WHERE l.tenant_id = v.tenant_id AND l.vale_id = v.id)))::text AS json
          FROM vales v
         WHERE v.tenant_id = \(tenant) AND v.id > \(after?.id ?? first) ORDER BY v.id LIMIT \(pageSize)
        """
    }

    /// With what became of them.
    private static let purchaseRequests: Page<IDKey> = { tenant, after in
        """
        SELECT r.id AS key, (to_jsonb(r) - 'tenant_id' || jsonb_build_object('lines', (
                   SELECT jsonb_agg(to_jsonb(l) - 'tenant_id' - 'purchase_request_id' ORDER BY l.position)
                     FROM purchase_request_lines l WHERE l.tenant_id = r.tenant_id AND l.purchase_request_id = r.id),
               'history', (
                   SELECT jsonb_agg(to_jsonb(s) - 'tenant_id' - 'purchase_request_id' ORDER BY s.id)
                     FROM purchase_request_steps s WHERE s.tenant_id = r.tenant_id AND s.purchase_request_id = r.id)))::text AS json
          FROM purchase_requests r
         WHERE r.tenant_id = \(tenant) AND r.id > \(after?.id ?? first) ORDER BY r.id LIMIT \(pageSize)
        """
    }

    private static let users: Page<IDKey> = { tenant, after in
        """
        SELECT u.id AS key, (to_jsonb(m) - 'tenant_id' - 'own_role' || jsonb_build_object('email', u.email, 'name', u.name))::text
               AS json
          FROM memberships m JOIN users u ON u.id = m.user_id
         WHERE m.tenant_id = \(tenant) AND m.user_id > \(after?.id ?? first) ORDER BY m.user_id LIMIT \(pageSize)
        """
    }

    /// Devices and orphans name their uplinks by `owner_id`.
    static let orphanUplinks: Page<OrphanUplinkKey> = { tenant, after in
        """
        SELECT owner_id, id, (to_jsonb(t) - 'tenant_id')::text AS json FROM orphan_uplinks t
         WHERE tenant_id = \(tenant) AND (owner_id, id) > (\(after?.owner ?? 0), \(after?.id ?? 0))
         ORDER BY owner_id, id LIMIT \(pageSize)
        """
    }

    static let uplinks: Page<UplinkKey> = { tenant, after in
        """
        SELECT owner_id, received_at, epoch, fcnt, (to_jsonb(t) - 'tenant_id')::text AS json FROM uplinks t
         WHERE tenant_id = \(tenant)
           AND (owner_id, received_at, epoch, fcnt) > (\(after?.owner ?? 0), coalesce(\(after?.receivedAt)::timestamptz, '-infinity'),
               \(after?.epoch ?? 0), \(after?.fcnt ?? 0))
         ORDER BY owner_id, received_at, epoch, fcnt LIMIT \(pageSize)
        """
    }

    /// Before every id.
    private static let first = UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
}
