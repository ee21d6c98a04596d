import Hummingbird
import Logging
import NIOCore
import Shared

/// Every request's context; ``Authentication`` puts in who it is from.
struct QueryContext: PulsegateRequestContext {
    var coreContext: CoreRequestContextStorage
    var requestID = ""
    let notes = RequestNotes()
    let remoteAddress: SocketAddress?
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
}

/// The context of a request that was signed in: there is none without a principal.
struct TenantContext: ChildRequestContext, PulsegateRequestContext, TenantScoped {
    var coreContext: CoreRequestContextStorage
    var requestID: String
    let notes: RequestNotes
    let remoteAddress: SocketAddress?
    let principal: Principal
    let tenant: Tenant
    let scope: TenantScope
    /// Before anything else: the password was set by somebody else.
    let mustChangePassword: Bool

    var tenantID: TenantID { tenant.id }

    init(context: QueryContext) throws {
        guard let signedIn = context.signedIn else { throw Problem.unauthorized() }
        coreContext = context.coreContext
        requestID = context.requestID
        notes = context.notes
        remoteAddress = context.remoteAddress
        principal = signedIn.principal
        tenant = signedIn.tenant
        scope = signedIn.scope
        mustChangePassword = signedIn.mustChangePassword
    }
}

extension PulsegateRequestContext {
    /// The peer of the connection, without its port; nil where there is none.
    var address: String? { remoteAddress?.ipAddress }

    func origin(of request: Request) -> AuditEntry.Origin {
        let agent = request.headers[.userAgent].map { String($0.prefix(512)) }
        return AuditEntry.Origin(address: address, userAgent: agent, requestID: requestID)
    }
}
