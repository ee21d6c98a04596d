import Foundation
import Postgres
import Shared

extension SignInCandidate {
    /// Through a function of `pulsegate_lookup`: before sign-in no tenant is known, and so no row is visible.
    static func all(of email: String) -> Statement<SignInCandidate> {
        """
        SELECT user_id, password_hash, password_set_at, password_change_required, role, tenant_name, tenant_id AS id, tenant_uuid AS uuid, tenant_slug AS slug,
               plan, true AS is_active -- the function leaves out what isn't
          FROM sign_in_by_email(\(email))
        """
    }
}
