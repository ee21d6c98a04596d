import Foundation
import Hummingbird
import Postgres
import Shared

/// The part of `/auth` for those who have signed in.
struct SessionRoutes: Sendable {
    let check: PasswordCheck
    let sessions: Sessions

    func register(on api: TenantRoutes) {
        api.post("auth/logout", requires: nil, evenBeforePasswordChange: true, use: logout)
        api.post("auth/logout-all", requires: nil, evenBeforePasswordChange: true, use: logoutAll)
        api.post("auth/switch", requires: nil, evenBeforePasswordChange: true, use: switchTenant)
        api.post("auth/password", requires: nil, evenBeforePasswordChange: true, use: changePassword)
    }

    @Sendable private func logout(_ request: Request, _ context: TenantContext) async throws -> HTTPResponse.Status {
        try await sessions.end(context, context.origin(of: request))
        return .noContent
    }

    /// Ends all sessions of the person, in all tenants.
    @Sendable private func logoutAll(_ request: Request, _ context: TenantContext) async throws -> HTTPResponse.Status {
        try await sessions.endAll(context, context.origin(of: request))
        return .noContent
    }

    /// A session in another tenant of the same person; the one in this goes on.
    @Sendable private func switchTenant(
        _ request: Request, _ context: TenantContext
    ) async throws -> Answer<SignInAnswer> {
        var body = try await JSONBody(request, context)
        let tenant = body.requiredText("tenant")
        try body.check()
        _ = try context.session
        let email = context.principal.name
        let candidates = try await check.database.lookUp(SignInCandidate.all(of: email))
        guard let person = Person(email: email, candidates), person.id == context.principal.id else {
            throw Problem.unauthorized()
        }
        let membership = try person.membership(in: [tenant])
        return Answer(
            try await sessions.begin(
                for: person, in: membership.tenant, as: .switchedTenant,
                after: person.noteSwitch(fromSessionBegunAt: context.sessionBegunAt), from: context.origin(of: request)),
            isSecret: true)
    }

    /// Ends all sessions of the person, and answers with a new one.
    @Sendable private func changePassword(
        _ request: Request, _ context: TenantContext
    ) async throws -> Answer<SignInAnswer> {
        var body = try await JSONBody(request, context)
        let change = try PasswordChange(&body)
        _ = try context.session
        let signIn = SignIn(email: context.principal.name, password: change.old)
        let verified: VerifiedPerson
        do {
            verified = try await check.verify(signIn, from: context.subscriber)
        } catch let problem as Problem where problem.status == .unauthorized {
            throw PasswordChange.wrongOldPassword
        }
        guard verified.person.id == context.principal.id else { throw Problem.unauthorized() }
        let hash = try await check.passwords.hash(change.new)
        let answer = try await sessions.begin(
            for: verified.person, in: context.tenant, as: .passwordChanged, after: verified.keepPassword(hash),
            from: context.origin(of: request))
        sessions.directory.invalidate(context.tenantID) // other processes hear of it from the database
        return Answer(answer, isSecret: true)
    }
}
