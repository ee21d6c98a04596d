import Foundation
import Postgres
import Shared

extension SignInCandidate {
    /// Through a function of `pulsegate_lookup`: before sign-in no tenant is known, and so no row is visible.
    static func all(of email: String) -> Statement<SignInCandidate> {
        """
        SELECT user_id, password_hash, role, tenant_name, tenant_id AS id, tenant_uuid AS uuid, tenant_slug AS slug,
               plan, true AS is_active -- the function leaves out what isn't
          FROM sign_in_by_email(\(email))
        """
    }
}

/// A session as it begins, with its first refresh token.
struct NewSession: Sendable {
    /// How long a refresh token can be used.
    static let refreshLifetime: Int64 = 7 * 86_400

    let id: UUID
    let user: UUID
    let refreshToken: RefreshToken

    init(user: UUID) {
        id = UUID.v7()
        self.user = user
        refreshToken = RefreshToken.make()
    }

    func insert(into tenant: TenantID, _ origin: AuditEntry.Origin) -> Command {
        """
        INSERT INTO sessions (tenant_id, id, user_id, address, user_agent)
        VALUES (\(tenant), \(id), \(user), \(origin.address), \(origin.userAgent))
        """
    }

    func insertRefreshToken(into tenant: TenantID, now: Timestamp) -> Command {
        """
        INSERT INTO refresh_tokens (tenant_id, sha256, session_id, expires_at)
        VALUES (\(tenant), \(refreshToken.sha256), \(id), \(now.adding(seconds: Self.refreshLifetime)))
        """
    }

    func noteSignIn() -> Command {
        "UPDATE users SET last_login_at = now() WHERE id = \(user)"
    }
}
