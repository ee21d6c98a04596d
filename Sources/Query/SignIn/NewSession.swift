import Foundation
import Postgres
import Shared

/// A session as it begins, with its first refresh token.
struct NewSession: Sendable {
    /// Seconds that a refresh token can be used.
    static let refreshLifetime: Int64 = 7 * 86_400

    let id: UUID
    let user: UUID
    let tenant: Tenant
    let refreshToken: OpaqueToken

    init(user: UUID, tenant: Tenant) {
        id = UUID.v7()
        self.user = user
        self.tenant = tenant
        refreshToken = OpaqueToken.make(tenant: tenant.uuid)
    }

    /// Begins after the person's row was locked, by the clock and not by the transaction's start: so that it is told from sessions
    /// which a change of that row ends.
    func insert(_ origin: AuditEntry.Origin) -> Command {
        """
        INSERT INTO sessions (tenant_id, id, user_id, address, user_agent, created_at)
        VALUES (\(tenant.id), \(id), \(user), \(origin.address), \(origin.userAgent), clock_timestamp())
        """
    }

    func insertRefreshToken(now: Timestamp) -> Command {
        """
        INSERT INTO refresh_tokens (tenant_id, sha256, session_id, expires_at)
        VALUES (\(tenant.id), \(refreshToken.sha256), \(id), \(now.adding(seconds: Self.refreshLifetime)))
        """
    }
}
