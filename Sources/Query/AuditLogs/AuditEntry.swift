import Foundation
import NIOCore
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
        case keyCreated = "api_key.created"
        case keyChanged = "api_key.changed"
        case keyRotated = "api_key.rotated"
        case keyRevoked = "api_key.revoked"
    }

    let action: Action
    let resourceType: String
    let resourceID: String
    private let actorKind: Principal.Kind
    private let actor: UUID
    private let actorName: String
    /// What it was and what it became; never with a secret.
    private let before, after: JSONB?
    private let origin: Origin

    /// What a person did with a session of theirs.
    init(_ action: Action, session: UUID, of user: UUID, named name: String, _ origin: Origin) {
        self.action = action
        (resourceType, resourceID) = ("session", session.lowercaseString)
        (actorKind, actor, actorName) = (.user, user, name)
        (before, after) = (nil, nil)
        self.origin = origin
    }

    /// What a principal changed.
    init<View: JSONWritable>(
        _ action: Action, _ resourceType: String, _ id: UUID, before: View?, after: View?,
        by principal: Principal, _ origin: Origin
    ) {
        self.action = action
        (self.resourceType, resourceID) = (resourceType, id.lowercaseString)
        (actorKind, actor, actorName) = (principal.kind, principal.id, principal.name)
        (self.before, self.after) = (before?.document, after?.document)
        self.origin = origin
    }

    func insert(into tenant: TenantID) -> Command {
        """
        INSERT INTO audit_logs (tenant_id, id, actor_kind, actor_id, actor_name, action, resource_type, resource_id,
                                before, after, address, user_agent, request_id)
        VALUES (\(tenant), \(UUID.v7()), \(actorKind.rawValue), \(actor), \(actorName), \(action.rawValue),
                \(resourceType), \(resourceID), \(before), \(after), \(origin.address), \(origin.userAgent),
                \(origin.requestID))
        """
    }
}

extension JSONWritable {
    fileprivate var document: JSONB {
        var json = JSONWriter()
        write(to: &json)
        return JSONB(String(buffer: json.buffer))
    }
}
