import Foundation
import Postgres
import Shared

extension Member {
    private static func joined(in tenant: TenantID) -> Fragment {
        """
        SELECT u.id, u.email, u.name, m.role, r.scopes AS own_scopes, m.site_ids, 'active' AS status,
               u.password_change_required, u.last_login_at, m.created_at,
               greatest(m.updated_at, u.updated_at) AS updated_at, t.name AS tenant_name
          FROM memberships m JOIN users u ON u.id = m.user_id JOIN tenants t ON t.id = m.tenant_id
          LEFT JOIN roles r ON r.tenant_id = m.tenant_id AND r.name = m.own_role
         WHERE m.tenant_id = \(tenant)
        """
    }

    private static func invited(in tenant: TenantID) -> Fragment {
        """
        SELECT i.id, i.email, i.name, i.role, r.scopes AS own_scopes, i.site_ids, 'invited' AS status,
               false AS password_change_required, NULL::timestamptz AS last_login_at, i.created_at, i.updated_at,
               t.name AS tenant_name
          FROM invitations i JOIN tenants t ON t.id = i.tenant_id
          LEFT JOIN roles r ON r.tenant_id = i.tenant_id AND r.name = i.own_role
         WHERE i.tenant_id = \(tenant)
        """
    }

    /// Who has joined.
    static func find(_ id: UUID, in tenant: TenantID) -> Statement<Member> {
        "\(joined(in: tenant)) AND m.user_id = \(id)"
    }

    /// Who has joined or is invited.
    static func findAny(_ id: UUID, in tenant: TenantID) -> Statement<Member> {
        "\(joined(in: tenant)) AND m.user_id = \(id) UNION ALL \(invited(in: tenant)) AND i.id = \(id)"
    }

    /// Those who have joined and those who are invited, in the order of their ids.
    static func page(after: UUID?, limit: Int, in tenant: TenantID) -> Statement<Member> {
        let since: Fragment = after.map { "WHERE id > \($0)" } ?? ""
        return """
            SELECT id, email, name, role, own_scopes, site_ids, status, password_change_required, last_login_at, created_at,
                   updated_at, tenant_name
              FROM (\(joined(in: tenant)) UNION ALL \(invited(in: tenant))) AS people
             \(since) ORDER BY id LIMIT \(Int64(limit))
            """
    }

    /// Whoever of them is there, so that nobody else changes it before this transaction ends.
    static func lock(_ id: UUID, in tenant: TenantID) -> [Command] {
        [
            "SELECT FROM memberships WHERE tenant_id = \(tenant) AND user_id = \(id) FOR UPDATE",
            "SELECT FROM invitations WHERE tenant_id = \(tenant) AND id = \(id) FOR UPDATE",
        ]
    }

    static func exists(_ email: String, in tenant: TenantID) -> Statement<Bool> {
        """
        SELECT EXISTS (SELECT FROM memberships m JOIN users u ON u.id = m.user_id
                        WHERE m.tenant_id = \(tenant) AND u.email = \(email))
        """
    }

    /// - Returns: false for an address that is known already.
    static func addUser(
        _ id: UUID, email: String, name: String, passwordHash: String, mustChange: Bool
    ) -> Statement<Bool> {
        "SELECT coalesce(add_user(\(id), \(email), \(name), \(passwordHash), \(mustChange)), false)"
    }

    static func join(_ user: UUID, role: String, sites: [UUID], in tenant: TenantID) -> Command {
        """
        INSERT INTO memberships (tenant_id, user_id, role, site_ids)
        VALUES (\(tenant), \(user), \(role), \(sites))
        """
    }

    func change(role: String, sites: [UUID], in tenant: TenantID) -> Command {
        switch status {
        case .active:
            """
            UPDATE memberships SET role = \(role), site_ids = \(sites), updated_at = now()
             WHERE tenant_id = \(tenant) AND user_id = \(id)
            """
        case .invited:
            """
            UPDATE invitations SET role = \(role), site_ids = \(sites), updated_at = now()
             WHERE tenant_id = \(tenant) AND id = \(id)
            """
        }
    }

    /// The end of a membership, with what hangs on it; the person goes on being one elsewhere.
    func remove(in tenant: TenantID) -> [Command] {
        switch status {
        case .active:
            [
                """
                DELETE FROM refresh_tokens WHERE tenant_id = \(tenant) AND session_id IN (
                    SELECT id FROM sessions WHERE tenant_id = \(tenant) AND user_id = \(id))
                """,
                "DELETE FROM sessions WHERE tenant_id = \(tenant) AND user_id = \(id)",
                "DELETE FROM password_resets WHERE tenant_id = \(tenant) AND user_id = \(id)",
                "DELETE FROM calendar_feeds WHERE tenant_id = \(tenant) AND user_id = \(id)",
                "DELETE FROM memberships WHERE tenant_id = \(tenant) AND user_id = \(id)",
                // An earlier letter does not bring them back.
                "DELETE FROM invitations WHERE tenant_id = \(tenant) AND email = \(email)",
                // Nor does anybody come whom they alone wanted.
                "DELETE FROM invitations WHERE tenant_id = \(tenant) AND invited_by = \(id)",
            ]
        case .invited: ["DELETE FROM invitations WHERE tenant_id = \(tenant) AND id = \(id)"]
        }
    }

    /// Whether the audit log tells of somebody.
    static func isRemembered(_ id: UUID, in tenant: TenantID) -> Statement<Bool> {
        """
        SELECT EXISTS (SELECT FROM audit_logs WHERE tenant_id = \(tenant) AND actor_id = \(id) AND actor_kind = 'user')
            OR EXISTS (SELECT FROM audit_logs
                        WHERE tenant_id = \(tenant) AND resource_type = 'user' AND resource_id = \(id.lowercaseString))
        """
    }

    static func rename(_ user: UUID, to name: String) -> Command {
        "UPDATE users SET name = \(name), updated_at = now() WHERE id = \(user)"
    }
}
