import Foundation
import Postgres
import Shared

extension TenantRole {
    private static let columns: Fragment = "id, name, scopes, created_at, updated_at"

    /// The tenant's own, in the order of creation.
    static func page(after: UUID?, limit: Int, in tenant: TenantID) -> Statement<TenantRole> {
        let since: Fragment = after.map { "AND id > \($0)" } ?? ""
        return """
            SELECT \(columns) FROM roles WHERE tenant_id = \(tenant) \(since) ORDER BY id LIMIT \(Int64(limit))
            """
    }

    static func find(_ id: UUID, in tenant: TenantID) -> Statement<TenantRole> {
        "SELECT \(columns) FROM roles WHERE tenant_id = \(tenant) AND id = \(id)"
    }

    static func lock(_ id: UUID, in tenant: TenantID) -> Statement<TenantRole> {
        "SELECT \(columns) FROM roles WHERE tenant_id = \(tenant) AND id = \(id) FOR UPDATE"
    }

    static func named(_ name: String, in tenant: TenantID) -> Statement<TenantRole> {
        "SELECT \(columns) FROM roles WHERE tenant_id = \(tenant) AND name = \(name)"
    }

    static func insert(name: String, scopes: [String], into tenant: TenantID) -> Statement<TenantRole> {
        """
        INSERT INTO roles (tenant_id, id, name, scopes) VALUES (\(tenant), \(UUID.v7()), \(name), \(scopes))
        RETURNING \(columns)
        """
    }

    /// Whoever has the role follows its name, in one statement: the key between them is looked at when all is done.
    func change(name newName: String, scopes: [String], in tenant: TenantID) -> Statement<TenantRole> {
        """
        WITH members AS (
            UPDATE memberships SET role = \(newName), updated_at = now()
             WHERE tenant_id = \(tenant) AND own_role = \(name) AND \(name) <> \(newName)
        ), invited AS (
            UPDATE invitations SET role = \(newName), updated_at = now()
             WHERE tenant_id = \(tenant) AND own_role = \(name) AND \(name) <> \(newName)
        ), changed AS (
            UPDATE roles SET name = \(newName), scopes = \(scopes), updated_at = now()
             WHERE tenant_id = \(tenant) AND id = \(id)
            RETURNING \(Self.columns)
        )
        SELECT \(Self.columns) FROM changed
        """
    }

    /// The database refuses while somebody has it.
    func delete(in tenant: TenantID) -> Command {
        "DELETE FROM roles WHERE tenant_id = \(tenant) AND id = \(id)"
    }
}
