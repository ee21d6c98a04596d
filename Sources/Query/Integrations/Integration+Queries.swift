import Foundation
import Postgres
import Shared

extension Integration {
    private static let columns: Fragment =
        "id, name, dialect, auth, header_name, username, is_active, created_at, updated_at"

    /// In the order of creation.
    static func page(after: UUID?, limit: Int, in tenant: TenantID) -> Statement<Integration> {
        let since: Fragment = after.map { "AND id > \($0)" } ?? ""
        return """
            SELECT \(columns) FROM integrations
             WHERE tenant_id = \(tenant) AND deleted_at IS NULL \(since) ORDER BY id LIMIT \(Int64(limit))
            """
    }

    static func find(_ id: UUID, in tenant: TenantID) -> Statement<Integration> {
        "SELECT \(columns) FROM integrations WHERE tenant_id = \(tenant) AND id = \(id) AND deleted_at IS NULL"
    }

    /// Nobody else changes it before this transaction ends.
    static func lock(_ id: UUID, in tenant: TenantID) -> Statement<Integration> {
        """
        SELECT \(columns) FROM integrations WHERE tenant_id = \(tenant) AND id = \(id) AND deleted_at IS NULL
           FOR NO KEY UPDATE
        """
    }

    static func insert(_ new: IntegrationRequest, into tenant: TenantID) -> Statement<Integration> {
        """
        INSERT INTO integrations (tenant_id, id, name, dialect, auth, header_name, username, is_active)
        VALUES (\(tenant), \(new.id), \(new.name), \(new.dialect.rawValue), \(new.auth.rawValue), \(new.headerName),
                \(new.username), \(new.isActive))
        RETURNING \(columns)
        """
    }

    /// So that ingest knows whose it is.
    static func route(_ id: UUID, to tenant: TenantID) -> Command {
        "INSERT INTO integration_routes (integration_id, tenant_id) VALUES (\(id), \(tenant))"
    }

    static func change(
        _ id: UUID, name: String, headerName: String?, username: String?, isActive: Bool, in tenant: TenantID
    ) -> Statement<Integration> {
        """
        UPDATE integrations
           SET name = \(name), header_name = \(headerName), username = \(username), is_active = \(isActive), updated_at = now()
         WHERE tenant_id = \(tenant) AND id = \(id)
        RETURNING \(columns)
        """
    }

    static func delete(_ id: UUID, in tenant: TenantID) -> Command {
        """
        UPDATE integrations SET deleted_at = now(), updated_at = now(), is_active = false
         WHERE tenant_id = \(tenant) AND id = \(id)
        """
    }
}
