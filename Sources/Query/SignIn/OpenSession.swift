import Foundation
import Postgres
import Shared

/// A session that goes on.
struct OpenSession: RowDecodable {
    let id: UUID
    let user: UUID

    init(_ row: Row) throws {
        id = try row["id"]
        user = try row["user_id"]
    }
}

extension OpenSession {
    /// Uses a refresh token up and keeps the next one. Of two that come at once the second waits for the first, and finds it used.
    static func exchange(
        _ token: OpaqueToken, for next: OpaqueToken, in tenant: TenantID, now: Timestamp
    ) -> Statement<OpenSession> {
        """
        WITH used AS (
            UPDATE refresh_tokens r SET used_at = now()
              FROM sessions s JOIN users u ON u.id = s.user_id
             WHERE r.tenant_id = \(tenant) AND r.sha256 = \(token.sha256) AND r.used_at IS NULL AND r.expires_at > now()
               AND s.tenant_id = r.tenant_id AND s.id = r.session_id AND s.ended_at IS NULL
               AND s.created_at >= u.sessions_valid_from
            RETURNING s.id, s.user_id
        ), kept AS (
            INSERT INTO refresh_tokens (tenant_id, sha256, session_id, expires_at)
            SELECT \(tenant), \(next.sha256), id, \(now.adding(seconds: NewSession.refreshLifetime)) FROM used
        )
        SELECT id, user_id FROM used
        """
    }

    /// Ends the session whose token this once was, with all that came of it (RFC 9700 §4.14.2); nothing for an unknown token.
    static func endAfterReuse(of token: OpaqueToken, in tenant: TenantID) -> Statement<OpenSession> {
        """
        UPDATE sessions s SET ended_at = now()
          FROM refresh_tokens r
         WHERE r.tenant_id = \(tenant) AND r.sha256 = \(token.sha256) AND r.used_at IS NOT NULL
           AND s.tenant_id = r.tenant_id AND s.id = r.session_id AND s.ended_at IS NULL
        RETURNING s.id, s.user_id
        """
    }

    static func end(_ id: UUID, in tenant: TenantID) -> Command {
        "UPDATE sessions SET ended_at = now() WHERE tenant_id = \(tenant) AND id = \(id) AND ended_at IS NULL"
    }

    /// Of all tenants: a session that began earlier is not believed.
    static func endAll(of user: UUID) -> Command {
        "UPDATE users SET sessions_valid_from = clock_timestamp() WHERE id = \(user)"
    }
}
