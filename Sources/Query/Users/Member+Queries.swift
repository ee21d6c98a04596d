import Foundation
import Postgres
import Shared

extension Member {
    static func find(_ id: UUID, in tenant: TenantID) -> Statement<Member> {
        """
        SELECT u.id, u.email, u.name, m.role, m.site_ids, u.password_change_required, u.last_login_at, u.created_at, u.updated_at,
               t.name AS tenant_name
          FROM memberships m JOIN users u ON u.id = m.user_id JOIN tenants t ON t.id = m.tenant_id
         WHERE m.tenant_id = \(tenant) AND m.user_id = \(id)
        """
    }
}
