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
    }
}
