import Foundation
import Hummingbird
import Logging
import Shared

/// Finds out who a request is from, by its access token, and lets in those only who are signed in.
struct Authentication: RouterMiddleware {
    typealias Context = QueryContext

    let tokens: AccessTokens
    let directory: AccessDirectory
    let refusals: TokenRefusals
    let admission: Admission

    func handle(
        _ request: Request, context: QueryContext, next: (Request, QueryContext) async throws -> Response
    ) async throws -> Response {
        let signedIn: SignedIn
        do {
            signedIn = try await who(request, context.client)
        } catch let problem as Problem where problem.status == .unauthorized {
            // Who guesses has to do so slowly.
            try await admission.stranger(context.client)
            throw problem
        }
        try await admission.admit(signedIn)
        guard signedIn.tenant.isNamed(context.namedTenants) else { throw Problem.wrongTenant }
        var context = context
        context.signedIn = signedIn
        context.notes.tenantSlug = signedIn.tenant.slug
        context.logger[metadataKey: "tenant"] = .string(signedIn.tenant.slug)
        return try await next(request, context)
    }

    /// Whether who asked a while ago is still who they were: for answers that go on and on.
    func stillHolds(_ request: Request, _ context: TenantContext) async -> Bool {
        guard let signedIn = try? await who(request, context.client) else { return false }
        return signedIn.principal == context.principal && signedIn.tenant == context.tenant
    }

    private func who(_ request: Request, _ client: IPAddress?) async throws -> SignedIn {
        guard request.headers.contains(.authorization) else { throw refuse(.missing) }
        guard let text = request.bearerToken else { throw refuse(.token(.malformed)) }
        guard text.hasPrefix(ServiceKey.mark) else { return try await person(text) }
        // A key that nobody knows costs a look at the database.
        try await admission.checkGuesses(client)
        return try await program(text)
    }

    /// A token says who and where; what they may do there is the database's word, a few seconds old at most.
    private func person(_ text: String) async throws -> SignedIn {
        let token: AccessToken
        do throws(TokenRefusal) {
            token = try await tokens.verify(text)
        } catch {
            throw refuse(.token(error))
        }
        guard let tenant = try await directory.tenant(token.tenantID) else { throw refuse(.unknownTenant) }
        let key = AccessDirectory.SessionKey(tenant: tenant.id, user: token.userID, session: token.sessionID)
        guard let membership = try await directory.membership(key) else { throw refuse(.endedSession) }
        let sites = membership.siteIDs.isEmpty ? nil : Set(membership.siteIDs)
        let principal = Principal(
            kind: .user, id: token.userID, name: membership.email, sessionID: token.sessionID, role: membership.role,
            scopes: membership.scopes, siteIDs: sites)
        return SignedIn(
            principal: principal, tenant: tenant, scope: TenantScope(tenant.id, sites: sites),
            mustChangePassword: membership.passwordChangeRequired, sessionBegunAt: membership.sessionBegunAt)
    }

    private func program(_ text: String) async throws -> SignedIn {
        guard let key = ServiceKey(parsing: text), let known = try await directory.serviceKey(key) else {
            throw refuse(.unknownServiceKey)
        }
        let principal = Principal(
            kind: .apiKey, id: known.row.id, name: known.row.name, scopes: known.row.scopes)
        return SignedIn(
            principal: principal, tenant: known.tenant, scope: TenantScope(known.tenant.id), mustChangePassword: false,
            sessionBegunAt: nil)
    }

    private func refuse(_ reason: TokenRefusals.Reason) -> Problem {
        refusals.count(reason)
        return Problem.unauthorized()
    }
}

extension Tenant {
    /// Whether this is the tenant that a client named, by its slug or its UUID, each time that it did.
    func isNamed(_ names: [String]) -> Bool {
        names.allSatisfy { slug == $0 || UUID(uuidString: $0) == uuid }
    }
}

extension Problem {
    static var wrongTenant: Problem {
        forbidden(code: "wrong_tenant", detail: "The request names another tenant than its token is for.")
    }
}
