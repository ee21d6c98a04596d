import Foundation
import Postgres
import Shared

extension Vale {
    struct Filter: Sendable {
        var sites = References()
        var statuses: [Status] = []
        var number: Int64?
    }

    private static let columns: Fragment = """
        v.id, v.number, v.site_id, v.requested_by, v.note, v.request_id, v.status, v.delivered_at, v.cancelled_at, v.created_at, v.updated_at,
        ARRAY(SELECT l.product_id FROM vale_lines l WHERE l.tenant_id = v.tenant_id AND l.vale_id = v.id ORDER BY l.position) AS product_ids,
        ARRAY(SELECT l.quantity FROM vale_lines l WHERE l.tenant_id = v.tenant_id AND l.vale_id = v.id ORDER BY l.position) AS quantities
        """

    /// Newest first.
    static func page(_ filter: Filter, after: Int64?, limit: Int, in scope: TenantScope) -> Statement<Vale> {
        var conditions = [visible(in: scope)]
        if !filter.sites.isEmpty {
            conditions.append(filter.sites.includes(site: "v.site_id", of: scope.tenantID))
        }
        if !filter.statuses.isEmpty { conditions.append("v.status = ANY (\(filter.statuses.map(\.rawValue)))") }
        if let number = filter.number { conditions.append("v.number = \(number)") }
        if let after { conditions.append("v.number < \(after)") }
        return """
            SELECT \(columns) FROM vales v
             WHERE \(conditions.joined(separator: " AND "))
             ORDER BY v.number DESC LIMIT \(Int64(limit))
            """
    }

    static func find(_ id: UUID, in scope: TenantScope) -> Statement<Vale> {
        "SELECT \(columns) FROM vales v WHERE \(visible(in: scope)) AND v.id = \(id)"
    }

    /// Nobody else changes it before this transaction ends.
    static func lock(_ id: UUID, in scope: TenantScope) -> Statement<UUID> {
        "SELECT v.id FROM vales v WHERE \(visible(in: scope)) AND v.id = \(id) FOR NO KEY UPDATE"
    }

    /// The database gives it its number: what follows holds up the tenant's other vales.
    static func insert(_ id: UUID, _ new: ValeFields, key: String?, into tenant: TenantID) -> Command {
        """
        INSERT INTO vales (tenant_id, id, site_id, requested_by, note, request_id)
        VALUES (\(tenant), \(id), \(new.siteID), \(new.requestedBy), \(new.note), \(key))
        """
    }

    /// - Parameter products: of the lines, with what they cost today.
    static func insertLines(of id: UUID, _ lines: [Line], _ products: [HeldProduct], in tenant: TenantID) -> Command {
        let positions = lines.indices.map { Int32($0) }
        return """
            INSERT INTO vale_lines (tenant_id, vale_id, product_id, position, quantity, price, currency)
            SELECT \(tenant), \(id), *
              FROM unnest(\(lines.map(\.productID))::uuid[], \(positions)::int[], \(lines.map(\.quantity))::numeric[],
                          \(products.map(\.price))::numeric[], \(products.map(\.currency))::text[])
            ON CONFLICT (tenant_id, vale_id, product_id) DO UPDATE SET position = excluded.position, quantity = excluded.quantity
            """
    }

    static func deleteLines(of id: UUID, except products: [UUID], in tenant: TenantID) -> Command {
        "DELETE FROM vale_lines WHERE tenant_id = \(tenant) AND vale_id = \(id) AND product_id <> ALL (\(products))"
    }

    static func update(_ id: UUID, _ fields: ValeFields, in tenant: TenantID) -> Command {
        """
        UPDATE vales SET site_id = \(fields.siteID), requested_by = \(fields.requestedBy), note = \(fields.note), updated_at = now()
         WHERE tenant_id = \(tenant) AND id = \(id)
        """
    }

    static func settle(_ id: UUID, _ status: Status, in tenant: TenantID) -> Command {
        """
        UPDATE vales
           SET status = \(status.rawValue), updated_at = now(),
               delivered_at = CASE WHEN \(status == .delivered) THEN now() END,
               cancelled_at = CASE WHEN \(status == .cancelled) THEN now() END
         WHERE tenant_id = \(tenant) AND id = \(id)
        """
    }

    static func delete(_ id: UUID, in tenant: TenantID) -> Command {
        "UPDATE vales SET deleted_at = now(), updated_at = now() WHERE tenant_id = \(tenant) AND id = \(id)"
    }

    private static func visible(in scope: TenantScope) -> Fragment {
        "v.tenant_id = \(scope.tenantID) AND v.deleted_at IS NULL AND \(scope.covers(site: "v.site_id"))"
    }
}
