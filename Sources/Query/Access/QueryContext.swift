import Foundation
import Hummingbird
import Logging
import NIOCore
import Postgres
import Shared

/// Every request's context; ``Authentication`` puts in who it is from.
struct QueryContext: PulsegateRequestContext {
    var coreContext: CoreRequestContextStorage
    var requestID = ""
    let notes = RequestNotes()
    let remoteAddress: SocketAddress?
    var client: IPAddress?
    /// As the request names its tenant beside its credentials; see ``TenantNames``.
    var namedTenants: [String] = []
    var signedIn: SignedIn?

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        remoteAddress = source.channel.remoteAddress
    }
}

/// Who a request is from, and what of their tenant they may see.
struct SignedIn: Sendable {
    let principal: Principal
    let tenant: Tenant
    let scope: TenantScope
    let mustChangePassword: Bool
    /// Nil for an API key.
    let sessionBegunAt: Timestamp?
}

/// The context of a request that was signed in: there is none without a principal.
struct TenantContext: ChildRequestContext, PulsegateRequestContext, TenantScoped {
    var coreContext: CoreRequestContextStorage
    var requestID: String
    let notes: RequestNotes
    let remoteAddress: SocketAddress?
    var client: IPAddress?
    let principal: Principal
    let tenant: Tenant
    let scope: TenantScope
    /// Before anything else: the password was set by somebody else.
    let mustChangePassword: Bool
    private let begunAt: Timestamp?

    var tenantID: TenantID { tenant.id }

    init(context: QueryContext) throws {
        guard let signedIn = context.signedIn else { throw Problem.unauthorized() }
        coreContext = context.coreContext
        requestID = context.requestID
        notes = context.notes
        remoteAddress = context.remoteAddress
        client = context.client
        principal = signedIn.principal
        tenant = signedIn.tenant
        scope = signedIn.scope
        mustChangePassword = signedIn.mustChangePassword
        begunAt = signedIn.sessionBegunAt
    }
}

extension TenantContext {
    /// - Throws: `Problem` 403 for an API key, which has no session.
    var session: UUID {
        get throws {
            guard let session = principal.sessionID else { throw Problem.noSession }
            return session
        }
    }

    /// When it began.
    /// - Throws: as ``session``.
    var sessionBegunAt: Timestamp {
        get throws {
            guard let begunAt else { throw Problem.noSession }
            return begunAt
        }
    }
}

extension Problem {
    fileprivate static var noSession: Problem {
        forbidden(code: "no_session", detail: "Only a person who signed in can do this.")
    }
}

extension PulsegateRequestContext {
    /// Where the request comes from; nil where there is no telling.
    var address: String? { client?.description }

    /// Whom guesses are counted against; see ``IPAddress/subscriber``.
    var subscriber: String? { client?.subscriber.description }

    func origin(of request: Request) -> AuditEntry.Origin {
        let agent = request.headers[.userAgent].map { String($0.prefix(512)) }
        return AuditEntry.Origin(address: address, userAgent: agent, requestID: requestID)
    }
}
