import Foundation
import Postgres
import Shared

extension Product {
    struct Filter: Sendable {
        var skus: [String] = []
        var suppliers: [UUID] = []
        var isActive: Bool?
        /// Those alone of which there is too little.
        var isLow = false
    }

    /// With what is at the sites that the member may see.
    private static func columns(in scope: TenantScope) -> Fragment {
        """
        p.id, p.sku, p.name, p.description, p.unit, p.price, p.currency, p.min_stock, p.supplier_id, p.is_active, p.created_at, p.updated_at,
        ARRAY(SELECT l.site_id FROM stock_levels l WHERE \(isThere(in: scope)) ORDER BY l.site_id) AS site_ids,
        ARRAY(SELECT l.quantity FROM stock_levels l WHERE \(isThere(in: scope)) ORDER BY l.site_id) AS quantities
        """
    }

    private static func isThere(in scope: TenantScope) -> Fragment {
        "l.tenant_id = p.tenant_id AND l.product_id = p.id AND l.quantity > 0 AND \(scope.sees(site: "l.site_id"))"
    }

    /// In the order of creation.
    static func page(_ filter: Filter, after: UUID?, limit: Int, in scope: TenantScope) -> Statement<Product> {
        var conditions: [Fragment] = ["p.tenant_id = \(scope.tenantID)", "p.deleted_at IS NULL"]
        if !filter.skus.isEmpty { conditions.append("p.sku = ANY (\(filter.skus))") }
        if !filter.suppliers.isEmpty { conditions.append("p.supplier_id = ANY (\(filter.suppliers))") }
        if let isActive = filter.isActive { conditions.append("p.is_active = \(isActive)") }
        if filter.isLow { conditions.append(isLow(in: scope)) }
        if let after { conditions.append("p.id > \(after)") }
        return """
            SELECT \(columns(in: scope)) FROM products p
             WHERE \(conditions.joined(separator: " AND "))
             ORDER BY p.id LIMIT \(Int64(limit))
            """
    }

    static func find(_ id: UUID, in scope: TenantScope) -> Statement<Product> {
        """
        SELECT \(columns(in: scope)) FROM products p
         WHERE p.tenant_id = \(scope.tenantID) AND p.deleted_at IS NULL AND p.id = \(id)
        """
    }

    /// A product of which there is too little, for a row `p`.
    private static func isLow(in scope: TenantScope) -> Fragment {
        """
        p.is_active AND p.min_stock > 0
            AND p.min_stock >= coalesce((SELECT sum(l.quantity) FROM stock_levels l WHERE \(isThere(in: scope))), 0)
        """
    }

    /// Nobody else changes it before this transaction ends.
    static func lock(_ id: UUID, in tenant: TenantID) -> Statement<UUID> {
        "SELECT id FROM products WHERE tenant_id = \(tenant) AND deleted_at IS NULL AND id = \(id) FOR NO KEY UPDATE"
    }

    /// Nobody moves any of it either.
    static func lockWithStock(_ id: UUID, in tenant: TenantID) -> Statement<UUID> {
        "SELECT id FROM products WHERE tenant_id = \(tenant) AND deleted_at IS NULL AND id = \(id) FOR UPDATE"
    }

    static func insert(_ id: UUID, _ new: ProductFields, into tenant: TenantID) -> Command {
        """
        INSERT INTO products (tenant_id, id, sku, name, description, unit, price, currency, min_stock, supplier_id, is_active)
        VALUES (\(tenant), \(id), \(new.sku), \(new.name), \(new.description), \(new.unit), \(new.price), \(new.currency),
                \(new.minStock), \(new.supplierID), \(new.isActive))
        """
    }

    static func update(_ id: UUID, _ fields: ProductFields, in tenant: TenantID) -> Command {
        """
        UPDATE products
           SET sku = \(fields.sku), name = \(fields.name), description = \(fields.description), unit = \(fields.unit),
               price = \(fields.price), currency = \(fields.currency), min_stock = \(fields.minStock),
               supplier_id = \(fields.supplierID), is_active = \(fields.isActive), updated_at = now()
         WHERE tenant_id = \(tenant) AND id = \(id)
        """
    }

    static func delete(_ id: UUID, in tenant: TenantID) -> Command {
        "UPDATE products SET deleted_at = now(), updated_at = now() WHERE tenant_id = \(tenant) AND id = \(id)"
    }

    /// Whether any of it is there, taken by a vale that may give it back, or asked for.
    static func isInUse(_ id: UUID, in tenant: TenantID) -> Statement<Bool> {
        """
        SELECT EXISTS (SELECT FROM stock_levels WHERE tenant_id = \(tenant) AND product_id = \(id) AND quantity > 0)
            OR EXISTS (SELECT FROM vales v JOIN vale_lines l ON l.tenant_id = v.tenant_id AND l.vale_id = v.id
                        WHERE v.tenant_id = \(tenant) AND v.deleted_at IS NULL AND v.status = 'issued' AND l.product_id = \(id))
            OR EXISTS (SELECT FROM purchase_request_lines l
                         JOIN purchase_requests r ON r.tenant_id = l.tenant_id AND r.id = l.purchase_request_id
                        WHERE l.tenant_id = \(tenant) AND l.product_id = \(id) AND r.deleted_at IS NULL
                          AND r.status IN ('draft', 'submitted', 'approved'))
        """
    }
}
