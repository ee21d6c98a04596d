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
        let requestID: String?
    }

    enum Action: String, Sendable {
        case signedIn = "session.created"
        case switchedTenant = "session.switched"
        case signedOut = "session.ended"
        case signedOutEverywhere = "user.sessions_ended"
        /// An exchanged refresh token was used again: somebody else has it, so the session is ended.
        case refreshTokenReused = "session.token_reused"
        case passwordChanged = "user.password_changed"
        case passwordResetAsked = "user.password_reset_asked"
        case passwordReset = "user.password_reset"
        case profileChanged = "user.changed"
        case userCreated = "user.created"
        case userInvited = "user.invited"
        case invitationAccepted = "user.joined"
        case memberChanged = "user.role_changed"
        case memberRemoved = "user.removed"
        case invitationWithdrawn = "user.invitation_withdrawn"
        case personErased = "user.erased"
        case roleCreated = "role.created"
        case roleChanged = "role.changed"
        case roleDeleted = "role.deleted"
        case tenantCreated = "tenant.created"
        case tenantChanged = "tenant.changed"
        case tenantDeactivated = "tenant.deactivated"
        case integrationCreated = "integration.created"
        case integrationChanged = "integration.changed"
        case integrationDeleted = "integration.deleted"
        case secretRotated = "integration.secret_rotated"
        case secretRevoked = "integration.secret_revoked"
        case exportRequested = "tenant.export_requested"
        case siteCreated = "site.created"
        case siteChanged = "site.changed"
        case siteDeleted = "site.deleted"
        case spaceCreated = "space.created"
        case spaceChanged = "space.changed"
        case spaceDeleted = "space.deleted"
        case deviceProfileCreated = "device_profile.created"
        case deviceProfileChanged = "device_profile.changed"
        case deviceProfileDeleted = "device_profile.deleted"
        case deviceCreated = "device.created"
        case deviceChanged = "device.changed"
        case deviceDeleted = "device.deleted"
        case orphanIgnored = "orphan_device.ignored"
        case orphanUnignored = "orphan_device.unignored"
        case reservationCreated = "reservation.created"
        case reservationChanged = "reservation.changed"
        case reservationConfirmed = "reservation.confirmed"
        case reservationCancelled = "reservation.cancelled"
        case reservationCheckedIn = "reservation.checked_in"
        case reservationCompleted = "reservation.completed"
        /// A pending one that nobody confirmed in time.
        case reservationExpired = "reservation.expired"
        case reservationMissed = "reservation.no_show"
        case reservationDeleted = "reservation.deleted"
        case feedCreated = "calendar_feed.created"
        case feedDeleted = "calendar_feed.deleted"
        case keyCreated = "api_key.created"
        case keyChanged = "api_key.changed"
        case keyRotated = "api_key.rotated"
        case keyRevoked = "api_key.revoked"
    }

    /// Who did it.
    struct Actor: Sendable {
        let kind: String
        let id: UUID?
        let name: String

        static func person(_ id: UUID, email: String) -> Actor {
            Actor(kind: Principal.Kind.user.rawValue, id: id, name: email)
        }

        /// A part of this process.
        static func service(_ name: StaticString) -> Actor {
            Actor(kind: "system", id: nil, name: name.description)
        }
    }

    let action: Action
    let resourceType: String
    let resourceID: String
    private let actor: Actor
    /// What it was and what it became; never with a secret.
    private let before, after: JSONB?
    private let origin: Origin

    /// What a person did with a session of theirs.
    init(_ action: Action, session: UUID, of user: UUID, named name: String, _ origin: Origin) {
        self.init(action, "session", session, by: .person(user, email: name), origin)
    }

    /// What somebody did, of which no state is kept.
    init(_ action: Action, _ resourceType: String, _ id: UUID, by actor: Actor, _ origin: Origin) {
        self.init(action, resourceType, id, before: String?.none, after: nil, by: actor, origin)
    }

    /// What somebody changed.
    init<View: JSONWritable>(
        _ action: Action, _ resourceType: String, _ id: UUID, before: View?, after: View?, by actor: Actor,
        _ origin: Origin
    ) {
        self.action = action
        (self.resourceType, resourceID) = (resourceType, id.lowercaseString)
        self.actor = actor
        (self.before, self.after) = (before?.document, after?.document)
        self.origin = origin
    }

    /// What a principal changed.
    init<View: JSONWritable>(
        _ action: Action, _ resourceType: String, _ id: UUID, before: View?, after: View?,
        by principal: Principal, _ origin: Origin
    ) {
        self.init(action, resourceType, id, before: before, after: after, by: principal.actor, origin)
    }

    func insert(into tenant: TenantID) -> Command {
        """
        INSERT INTO audit_logs (tenant_id, id, actor_kind, actor_id, actor_name, action, resource_type, resource_id,
                                before, after, address, user_agent, request_id)
        VALUES (\(tenant), \(UUID.v7()), \(actor.kind), \(actor.id), \(actor.name), \(action.rawValue),
                \(resourceType), \(resourceID), \(before), \(after), \(origin.address), \(origin.userAgent),
                \(origin.requestID))
        """
    }
}

extension Principal {
    var actor: AuditEntry.Actor { .init(kind: kind.rawValue, id: id, name: name) }
}

extension JSONWritable {
    fileprivate var document: JSONB {
        var json = JSONWriter()
        write(to: &json)
        return JSONB(String(buffer: json.buffer))
    }
}
