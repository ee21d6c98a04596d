import Foundation
import Postgres
import Shared

/// What somebody with the token may become.
struct Invitation: RowDecodable {
    let id: UUID
    let email: String
    let role: String
    let siteIDs: [UUID]

    init(_ row: Row) throws {
        id = try row["id"]
        email = try row["email"]
        role = try row["role"]
        siteIDs = try row["site_ids"]
    }
}

extension Invitation {
    /// Inviting again makes the earlier one void.
    static func insert(
        _ wanted: MemberRequest, _ token: OpaqueToken, by inviter: UUID?, until expiry: Timestamp,
        into tenant: TenantID
    ) -> Statement<UUID> {
        """
        INSERT INTO invitations (tenant_id, id, email, name, role, site_ids, sha256, invited_by, expires_at)
        VALUES (\(tenant), \(UUID.v7()), \(wanted.email), \(wanted.name), \(wanted.role), \(wanted.siteIDs), \(token.sha256),
                \(inviter), \(expiry))
        ON CONFLICT (tenant_id, email)
        DO UPDATE SET name = excluded.name, role = excluded.role, site_ids = excluded.site_ids, sha256 = excluded.sha256,
                      invited_by = excluded.invited_by, expires_at = excluded.expires_at, updated_at = now()
        RETURNING id
        """
    }

    /// The id of the one to an address; nobody else changes it before this transaction ends.
    static func lock(_ email: String, in tenant: TenantID) -> Statement<UUID> {
        "SELECT id FROM invitations WHERE tenant_id = \(tenant) AND email = \(email) FOR UPDATE"
    }

    static func withdraw(_ email: String, in tenant: TenantID) -> Command {
        "DELETE FROM invitations WHERE tenant_id = \(tenant) AND email = \(email)"
    }

    static func find(_ token: OpaqueToken, in tenant: TenantID) -> Statement<Invitation> {
        """
        SELECT id, email, role, site_ids FROM invitations
         WHERE tenant_id = \(tenant) AND sha256 = \(token.sha256) AND expires_at > now()
        """
    }

    /// Uses it up: of two who bring the token at once one finds it.
    static func take(_ token: OpaqueToken, in tenant: TenantID) -> Statement<Invitation> {
        """
        DELETE FROM invitations WHERE tenant_id = \(tenant) AND sha256 = \(token.sha256) AND expires_at > now()
        RETURNING id, email, role, site_ids
        """
    }
}
