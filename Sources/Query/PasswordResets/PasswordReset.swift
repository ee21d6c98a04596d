import Foundation
import Postgres
import Shared

/// A forgotten password on its way to a new one.
enum PasswordReset {
    /// Seconds that a token can be used.
    static let lifetime: Int64 = 3_600
    /// Tokens that may be sent to one person within that time.
    static let maxOpen: Int64 = 3

    /// Those who ask at once take turns.
    static func lock(_ user: UUID, in tenant: TenantID) -> Command {
        "SELECT FROM memberships WHERE tenant_id = \(tenant) AND user_id = \(user) FOR NO KEY UPDATE"
    }

    /// No row where the person has asked too often.
    static func insert(_ token: OpaqueToken, for user: UUID, now: Timestamp, into tenant: TenantID) -> Command {
        """
        INSERT INTO password_resets (tenant_id, sha256, user_id, expires_at)
        SELECT \(tenant), \(token.sha256), \(user), \(now.adding(seconds: lifetime))
         WHERE (SELECT count(*) FROM password_resets
                 WHERE tenant_id = \(tenant) AND user_id = \(user) AND expires_at > now()) < \(maxOpen)
        """
    }

    /// The e-mail of whoever holds a token that can be used.
    static func owner(of token: OpaqueToken, in tenant: TenantID) -> Statement<String> {
        """
        SELECT u.email FROM password_resets r JOIN users u ON u.id = r.user_id
         WHERE r.tenant_id = \(tenant) AND r.sha256 = \(token.sha256) AND r.expires_at > now()
           AND u.password_set_at <= r.created_at
        """
    }

    /// Another password, the end of all sessions and of all other tokens of the person. Of two at once the second waits for the first, and
    /// finds that the password was set since.
    static func use(_ token: OpaqueToken, toSet hash: String, in tenant: TenantID) -> Statement<UUID> {
        """
        UPDATE users u
           SET password_hash = \(hash), password_set_at = clock_timestamp(), password_change_required = false,
               sessions_valid_from = clock_timestamp(), updated_at = now()
          FROM password_resets r
         WHERE r.tenant_id = \(tenant) AND r.sha256 = \(token.sha256) AND r.expires_at > now() AND u.id = r.user_id
           AND u.password_set_at <= r.created_at
        RETURNING u.id
        """
    }
}
