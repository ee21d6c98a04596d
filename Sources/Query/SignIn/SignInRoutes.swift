import Foundation
import HTTPTypes
import Hummingbird
import Postgres
import Shared

/// `/auth`, the one part of the API that is open to everybody.
struct SignInRoutes: Sendable {
    let database: Database
    let tokens: AccessTokens
    let passwords: PasswordHasher
    let door: SignInGuard

    func register(on open: RouterGroup<QueryContext>) {
        open.post("auth/login", use: login)
    }

    @Sendable private func login(_ request: Request, _ context: QueryContext) async throws -> Answer<SignInAnswer> {
        var body = try await JSONBody(request, context)
        let signIn = try SignIn(&body, header: request.headers[.tenantID])
        let attempt = try door.begin(email: signIn.email, address: context.address)
        let person = try await verify(signIn, attempt)
        attempt.succeeded()
        let membership = try person.membership(in: signIn.tenant)
        let session = NewSession(user: person.id)
        let member = try await begin(session, in: membership.tenant, as: signIn.email, context.origin(of: request))
        let token = try await tokens.issue(
            userID: member.id, tenantID: membership.tenant.uuid, role: member.role,
            scopes: Role(rawValue: member.role)?.scopes ?? [], sessionID: session.id)
        return Answer(
            SignInAnswer(
                accessToken: token.text, refreshToken: session.refreshToken, member: member,
                tenant: membership.tenant, memberships: person.memberships),
            isSecret: true)
    }

    /// - Throws: `Problem` 401, which counts as a failure; anything else does not.
    private func verify(_ signIn: SignIn, _ attempt: SignInGuard.Attempt) async throws -> VerifiedPerson {
        do {
            let candidates = try await database.lookUp(SignInCandidate.all(of: signIn.email))
            return try await VerifiedPerson(signIn, among: candidates, passwords)
        } catch {
            if (error as? Problem)?.status != .unauthorized { attempt.withdraw() }
            throw error
        }
    }

    /// Everything that a sign-in leaves behind, in one transaction and one round trip.
    private func begin(
        _ session: NewSession, in tenant: Tenant, as email: String, _ origin: AuditEntry.Origin
    ) async throws -> Member {
        let entry = AuditEntry(
            action: .signedIn, resourceType: "session", resourceID: session.id.lowercaseString, actor: session.user,
            actorName: email, origin: origin)
        let commands = [
            session.insert(into: tenant.id, origin), session.insertRefreshToken(into: tenant.id, now: .now()),
            session.noteSignIn(), entry.insert(into: tenant.id),
        ]
        let member: Member? = try await database.withTenant(tenant) { tx in
            let found = Member.find(session.user, in: tenant.id).erased
            return try await tx.pipeline(commands.map(\.erased) + [found]).last?.rows(as: Member.self).first
        }
        // The membership went between the look-up and now; the foreign key of sessions would have refused it, too.
        guard let member else { throw Problem.noMembership }
        return member
    }
}

extension QueryContext {
    /// The peer of the connection, without its port; nil where there is none.
    fileprivate var address: String? { remoteAddress?.ipAddress }

    fileprivate func origin(of request: Request) -> AuditEntry.Origin {
        let agent = request.headers[.userAgent].map { String($0.prefix(512)) }
        return AuditEntry.Origin(address: address, userAgent: agent, requestID: requestID)
    }
}
