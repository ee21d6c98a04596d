import Foundation
import Postgres
import Shared

extension Supplier {
    private static let columns: Fragment =
        "id, name, tax_id, contact, email, phone, lead_time_days, created_at, updated_at"

    /// In the order of creation.
    static func page(after: UUID?, limit: Int, in tenant: TenantID) -> Statement<Supplier> {
        let beyond: Fragment = if let after { "id > \(after)" } else { "true" }
        return """
            SELECT \(columns) FROM suppliers
             WHERE tenant_id = \(tenant) AND deleted_at IS NULL AND \(beyond)
             ORDER BY id LIMIT \(Int64(limit))
            """
    }

    static func find(_ id: UUID, in tenant: TenantID) -> Statement<Supplier> {
        "SELECT \(columns) FROM suppliers WHERE tenant_id = \(tenant) AND deleted_at IS NULL AND id = \(id)"
    }

    /// Nobody else changes it, or names it, before this transaction ends.
    static func lock(_ id: UUID, in tenant: TenantID) -> Statement<Supplier> {
        "SELECT \(columns) FROM suppliers WHERE tenant_id = \(tenant) AND deleted_at IS NULL AND id = \(id) FOR UPDATE"
    }

    /// Those of these that there are; nobody deletes them before this transaction ends.
    static func hold(_ ids: [UUID], in tenant: TenantID) -> Statement<UUID> {
        """
        SELECT id FROM suppliers WHERE tenant_id = \(tenant) AND deleted_at IS NULL AND id = ANY (\(ids)) ORDER BY id FOR KEY SHARE
        """
    }

    static func insert(_ new: SupplierFields, into tenant: TenantID) -> Statement<Supplier> {
        """
        INSERT INTO suppliers (tenant_id, id, name, tax_id, contact, email, phone, lead_time_days)
        VALUES (\(tenant), \(UUID.v7()), \(new.name), \(new.taxID), \(new.contact), \(new.email), \(new.phone), \(new.leadTimeDays))
        RETURNING \(columns)
        """
    }

    static func update(_ id: UUID, _ fields: SupplierFields, in tenant: TenantID) -> Statement<Supplier> {
        """
        UPDATE suppliers
           SET name = \(fields.name), tax_id = \(fields.taxID), contact = \(fields.contact), email = \(fields.email),
               phone = \(fields.phone), lead_time_days = \(fields.leadTimeDays), updated_at = now()
         WHERE tenant_id = \(tenant) AND id = \(id)
        RETURNING \(columns)
        """
    }

    /// Whether products name it.
    static func isInUse(_ id: UUID, in tenant: TenantID) -> Statement<Bool> {
        "SELECT EXISTS (SELECT FROM products WHERE tenant_id = \(tenant) AND supplier_id = \(id) AND deleted_at IS NULL)"
    }

    static func delete(_ id: UUID, in tenant: TenantID) -> Command {
        "UPDATE suppliers SET deleted_at = now(), updated_at = now() WHERE tenant_id = \(tenant) AND id = \(id)"
    }
}
