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
        let signIn = try SignIn(&body, header: request.headers[.tenantID])
        return Answer(try await begin(signIn, request, context), isSecret: true)
    }

    @Sendable private func refresh(_ request: Request, _ context: QueryContext) async throws -> Answer<SignInAnswer> {
        var body = try await JSONBody(request, context)
        let text = body.requiredText("refresh_token")
        try body.check()
        return Answer(try await sessions.renew(text, context.origin(of: request)), isSecret: true)
    }

    /// The same as OAuth 2.0 has it (RFC 6749 §4.3 and §6), for clients that know no other way.
    @Sendable private func token(_ request: Request, _ context: QueryContext) async throws -> OAuthAnswer {
        context.notes.hasOwnErrors = true
        let grant = try await OAuthGrant(request, context)
        do {
            switch grant {
            case .password(let signIn): return OAuthAnswer(try await begin(signIn, request, context))
            case .refreshToken(let text):
                return OAuthAnswer(try await sessions.renew(text, context.origin(of: request)))
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
        let verified = try await check.verify(signIn, from: context.address)
        let membership = try verified.person.membership(in: signIn.tenant)
        if verified.needsRehash { try await rehash(signIn.password, of: verified, in: membership.tenant) }
        return try await sessions.begin(
            for: verified.person, in: membership.tenant, after: verified.noteSignIn(), from: context.origin(of: request)
        )
    }

    /// Where too many passwords wait it can wait, too: for the next sign-in.
    private func rehash(_ password: String, of verified: VerifiedPerson, in tenant: Tenant) async throws {
        guard let hash = try? await check.passwords.hash(password) else { return }
        try await check.database.withTenant(tenant) { tx in _ = try await tx.run(verified.keepRehashed(hash)) }
    }
}
