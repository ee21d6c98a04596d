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
        case supplierCreated = "supplier.created"
        case supplierChanged = "supplier.changed"
        case supplierDeleted = "supplier.deleted"
        case productCreated = "product.created"
        case productChanged = "product.changed"
        case productDeleted = "product.deleted"
        case stockMoved = "stock.moved"
        /// Of which the movements are the events, each at its own site.
        case stockTransferred = "stock_transfer.created"
        case valeCreated = "vale.created"
        case valeChanged = "vale.changed"
        case valeDelivered = "vale.delivered"
        case valeCancelled = "vale.cancelled"
        case valeDeleted = "vale.deleted"
        case purchaseRequestCreated = "purchase_request.created"
        case purchaseRequestChanged = "purchase_request.changed"
        case purchaseRequestSubmitted = "purchase_request.submitted"
        case purchaseRequestApproved = "purchase_request.approved"
        case purchaseRequestRejected = "purchase_request.rejected"
        case purchaseRequestReceived = "purchase_request.received"
        case purchaseRequestCancelled = "purchase_request.cancelled"
        case purchaseRequestDeleted = "purchase_request.deleted"
        case alertRaised = "alert.raised"
        case alertAcknowledged = "alert.acknowledged"
        case alertResolved = "alert.resolved"
        case alertCommented = "alert.commented"
        case endpointCreated = "webhook_endpoint.created"
        case endpointChanged = "webhook_endpoint.changed"
        case endpointRotated = "webhook_endpoint.secret_rotated"
        case endpointDeleted = "webhook_endpoint.deleted"
        case deliveryResent = "webhook_delivery.resent"
    }

    /// Who did it.
    struct Actor: Sendable {
        /// `user`, `api_key` or `system`.
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
    /// Whose members alone hear of it, where they are limited to sites.
    var siteID: UUID?

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

    /// With the event that tells of it, where it is one.
    func insert(into tenant: TenantID) -> Command {
        let told: Fragment = event?.insertion(into: tenant) ?? "SELECT"
        return """
            WITH told AS (\(told))
            INSERT INTO audit_logs (tenant_id, id, actor_kind, actor_id, actor_name, action, resource_type, resource_id,
                                    before, after, address, user_agent, request_id)
            VALUES (\(tenant), \(UUID.v7()), \(actor.kind), \(actor.id), \(actor.name), \(action.rawValue),
                    \(resourceType), \(resourceID), \(before), \(after), \(origin.address), \(origin.userAgent),
                    \(origin.requestID))
            """
    }

    private var event: NewEvent? {
        guard EventTopic(of: action.rawValue) != nil, let data = after ?? before else { return nil }
        return NewEvent(type: action.rawValue, siteID: siteID, data: data)
    }
}

extension AuditEntry.Actor: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.object { object in
            object.field("kind", kind)
            object.field("id", id)
            object.field("name", name)
        }
    }
}

extension Principal {
    var actor: AuditEntry.Actor { .init(kind: kind.rawValue, id: id, name: name) }
}

extension JSONWritable {
    var document: JSONB {
        var json = JSONWriter()
        write(to: &json)
        return JSONB(String(buffer: json.buffer))
    }
}
