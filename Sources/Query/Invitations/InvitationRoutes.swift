import Foundation
import Hummingbird
import Postgres
import Shared

/// Joining a tenant, by the token that was mailed.
struct InvitationRoutes: Sendable {
    let check: PasswordCheck
    let sessions: Sessions

    func register(on open: RouterGroup<QueryContext>) {
        open.post("auth/invitations/accept", use: accept)
    }

    /// Who uses an account already proves with the password that it is theirs; for everybody else it becomes the account's.
    @Sendable private func accept(_ request: Request, _ context: QueryContext) async throws -> Answer<SignInAnswer> {
        var body = try await JSONBody(request, context)
        let text = body.requiredText("token")
        let name = body.name() // of no use to who has one already
        let password = body.requiredText("password")
        if password.utf8.count > SignIn.maxLength { body.refuse("password", "too_long", "No password is that long.") }
        try body.check()
        guard let token = OpaqueToken(parsing: text), let tenant = try await sessions.directory.tenant(token.tenantID),
            let invitation = try await check.database.read(tenant, Invitation.find(token, in: tenant.id)).first
        else { throw Problem.invalidToken }
        let origin = context.origin(of: request)
        let candidates = try await check.database.lookUp(SignInCandidate.all(of: invitation.email))
        if let known = candidates.first, known.passwordChangeRequired || candidates.allSatisfy({ $0.membership == nil })
        {
            try await join(claiming: known, password, by: token, tenant, origin)
        } else if candidates.isEmpty {
            try await join(new: name, password, by: token, tenant, origin)
        } else {
            try await join(known: invitation.email, password, by: token, tenant, from: context.subscriber, origin)
        }
        return Answer(
            try await sessions.welcome(invitation.email, to: tenant, origin), isSecret: true,
            createdAt: "/api/v1/users/me")
    }

    /// An account that nobody can be said to use: its password is somebody else's choice, or it is a member of nothing and can't be sent a
    /// letter. The mailbox is who it is of, so it gets the password of whoever has the letter, and whoever was signed in with the old one is not
    /// any more.
    private func join(
        claiming known: SignInCandidate, _ password: String, by token: OpaqueToken, _ tenant: Tenant,
        _ origin: AuditEntry.Origin
    ) async throws {
        let hash = try await hash(password)
        try await take(token, tenant, origin) { _, _ in
            known.userID
        } then: { tx in
            let claim = Person.replacePassword(of: known.userID, setAt: known.passwordSetAt, by: hash)
            guard try await tx.run(claim) == 1 else {
                throw Problem.changedMeanwhile
            }
        }
        sessions.directory.invalidateAll() // in whatever tenants they were signed in
    }

    private func hash(_ password: String) async throws -> String {
        if let fault = PasswordPolicy.fault(of: password) { throw Problem.unprocessable([fault]) }
        return try await check.passwords.hash(password)
    }

    private func join(
        new name: String?, _ password: String, by token: OpaqueToken, _ tenant: Tenant, _ origin: AuditEntry.Origin
    ) async throws {
        guard let name else {
            throw Problem.unprocessable([.init(field: "name", code: "required", detail: "Must be given.")])
        }
        let hash = try await hash(password)
        try await take(token, tenant, origin) { tx, invitation in
            let id = UUID.v7()
            let add = Member.addUser(
                id, email: invitation.email, name: name, passwordHash: hash, mustChange: false)
            guard try await tx.first(add) == true else {
                throw Problem.changedMeanwhile
            }
            return id
        }
    }

    private func join(
        known email: String, _ password: String, by token: OpaqueToken, _ tenant: Tenant, from address: String?,
        _ origin: AuditEntry.Origin
    ) async throws {
        let verified: VerifiedPerson
        do {
            verified = try await check.verify(SignIn(email: email, password: password), from: address)
        } catch let problem as Problem where problem.status == .unauthorized {
            throw Problem.unprocessable([
                .init(
                    field: "password", code: "wrong_password",
                    detail: "There is an account for this address already: its password is needed.")
            ])
        }
        try await take(token, tenant, origin) { _, _ in verified.person.id }
    }

    private func take(
        _ token: OpaqueToken, _ tenant: Tenant, _ origin: AuditEntry.Origin,
        _ person: @Sendable (TenantTransaction, Invitation) async throws -> UUID,
        then: @Sendable (TenantTransaction) async throws -> Void = { _ in }
    ) async throws {
        try await check.database.withTenant(tenant) { tx in
            guard let invitation = try await tx.first(Invitation.take(token, in: tenant.id)) else {
                throw Problem.invalidToken
            }
            let id = try await person(tx, invitation)
            try await tx.run(Member.join(id, role: invitation.role, sites: invitation.siteIDs, in: tenant.id))
            try await then(tx)
            let member = try await tx.first(Member.find(id, in: tenant.id))
            let entry = AuditEntry(
                .invitationAccepted, "user", id, before: Member?.none, after: member,
                by: .person(id, email: invitation.email), origin)
            try await tx.run(entry.insert(into: tenant.id))
        }
    }
}

extension Problem {
    /// The same for whatever is wrong with it.
    static var invalidToken: Problem {
        .unprocessable([.init(field: "token", code: "invalid", detail: "It is unknown, was used, or has expired.")])
    }
}
