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
        case switchedTenant = "session.switched"
        case signedOut = "session.ended"
        case signedOutEverywhere = "user.sessions_ended"
        /// An exchanged refresh token was used again: somebody else has it, so the session is ended.
        case refreshTokenReused = "session.token_reused"
        case passwordChanged = "user.password_changed"
    }

    let action: Action
    let resourceType: String
    let resourceID: String
    /// The user who did it.
    let actor: UUID
    let actorName: String
    let origin: Origin

    init(
        action: Action, resourceType: String, resourceID: String, actor: UUID, actorName: String, origin: Origin
    ) {
        self.action = action
        self.resourceType = resourceType
        self.resourceID = resourceID
        self.actor = actor
        self.actorName = actorName
        self.origin = origin
    }

    /// What a person did with a session of theirs.
    init(_ action: Action, session: UUID, of user: UUID, named name: String, _ origin: Origin) {
        self.init(
            action: action, resourceType: "session", resourceID: session.lowercaseString, actor: user, actorName: name,
            origin: origin)
    }

    func insert(into tenant: TenantID) -> Command {
        """
        INSERT INTO audit_logs (tenant_id, id, actor_kind, actor_id, actor_name, action, resource_type, resource_id,
                                address, user_agent, request_id)
        VALUES (\(tenant), \(UUID.v7()), 'user', \(actor), \(actorName), \(action.rawValue), \(resourceType),
                \(resourceID), \(origin.address), \(origin.userAgent), \(origin.requestID))
        """
    }
}
