import Foundation
import HTTPTypes
import Hummingbird
import Postgres
import Shared

/// The part of `/auth` that is open to everybody.
struct SignInRoutes: Sendable {
    let check: PasswordCheck
    let sessions: Sessions

    func register(on open: RouterGroup<QueryContext>) {
        open.post("auth/login", use: login)
        open.post("auth/refresh", use: refresh)
        open.post("auth/token", use: token)
    }

    @Sendable private func login(_ request: Request, _ context: QueryContext) async throws -> Answer<SignInAnswer> {
        var body = try await JSONBody(request, context)
        let signIn = try SignIn(&body, named: context.namedTenants)
        return Answer(try await begin(signIn, request, context), isSecret: true)
    }

    @Sendable private func refresh(_ request: Request, _ context: QueryContext) async throws -> Answer<SignInAnswer> {
        var body = try await JSONBody(request, context)
        let text = body.requiredText("refresh_token")
        try body.check()
        return Answer(
            try await sessions.renew(text, named: context.namedTenants, context.origin(of: request)), isSecret: true)
    }

    /// The same as OAuth 2.0 has it (RFC 6749 §4.3 and §6), for clients that know no other way.
    @Sendable private func token(_ request: Request, _ context: QueryContext) async throws -> OAuthAnswer {
        context.notes.hasOwnErrors = true
        let grant = try await OAuthGrant(request, context)
        do {
            switch grant {
            case .password(let signIn): return OAuthAnswer(try await begin(signIn, request, context))
            case .refreshToken(let text):
                return OAuthAnswer(
                    try await sessions.renew(text, named: context.namedTenants, context.origin(of: request)))
            }
        } catch let problem as Problem where [.unauthorized, .forbidden].contains(problem.status) {
            throw OAuthError(.invalidGrant, problem.detail)
        } catch is TenantRequired {
            throw OAuthError(.invalidRequest, "This person is a member of several tenants: name one in tenant.")
        }
    }

    private func begin(
        _ signIn: SignIn, _ request: Request, _ context: QueryContext
    ) async throws -> SignInAnswer {
        try await sessions.signIn(signIn, check, from: context.subscriber, context.origin(of: request))
    }
}
