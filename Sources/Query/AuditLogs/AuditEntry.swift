import Foundation
import Postgres
import Shared

/// Who changed what, from where. Written in the transaction of the change itself.
struct AuditEntry: Sendable {
    /// Where a request came from.
    struct Origin: Sendable {
        let address: String?
        let userAgent: String?
        let requestID: String
    }

    enum Action: String, Sendable {
        case signedIn = "session.created"
    }

    let action: Action
    let resourceType: String
    let resourceID: String
    /// The user who did it.
    let actor: UUID
    let actorName: String
    let origin: Origin

    func insert(into tenant: TenantID) -> Command {
        """
        INSERT INTO audit_logs (tenant_id, id, actor_kind, actor_id, actor_name, action, resource_type, resource_id,
                                address, user_agent, request_id)
        VALUES (\(tenant), \(UUID.v7()), 'user', \(actor), \(actorName), \(action.rawValue), \(resourceType),
                \(resourceID), \(origin.address), \(origin.userAgent), \(origin.requestID))
        """
    }
}
