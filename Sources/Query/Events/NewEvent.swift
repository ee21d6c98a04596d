import Foundation
import Postgres
import Shared

/// Something that happened, to be written in the transaction of what it tells of.
struct NewEvent: Sendable {
    /// `vale.created`: an ``EventTopic``, a dot and what happened.
    let type: String
    /// Of what is tied to a site.
    let siteID: UUID?
    /// What it is about, as it became.
    let data: JSONB

    func insert(into tenant: TenantID) -> Command {
        Command(insertion(into: tenant))
    }

    /// To stand by itself or in a WITH.
    func insertion(into tenant: TenantID) -> Fragment {
        """
        INSERT INTO events (tenant_id, id, type, site_id, data)
        VALUES (\(tenant), \(UUID.v7()), \(type), \(siteID), \(data))
        """
    }
}
