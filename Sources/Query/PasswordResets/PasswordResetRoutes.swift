import Foundation
import HTTPTypes
import Hummingbird
import Postgres
import Shared

/// A new password for who forgot the old one, by a token that is mailed.
struct PasswordResetRoutes: Sendable {
    let check: PasswordCheck
    let directory: AccessDirectory
    let postman: Postman
    let links: Links

    func register(on open: RouterGroup<QueryContext>) {
        open.post("auth/forgot", use: forgot)
        open.post("auth/reset", use: reset)
    }

    /// The same answer for everybody, before anything was looked up.
    @Sendable private func forgot(_ request: Request, _ context: QueryContext) async throws -> HTTPResponse.Status {
        var body = try await JSONBody(request, context)
        let email = body.required("email") { $0.email($1) } ?? ""
        try body.check()
        let origin = context.origin(of: request)
        try postman.take { try await write(to: email, origin) }
        return .accepted
    }

    private func write(to email: String, _ origin: AuditEntry.Origin) async throws -> Letter? {
        let candidates = try await check.database.lookUp(SignInCandidate.all(of: email))
        guard let person = Person(email: email, candidates), let tenant = person.memberships.first?.tenant else {
            return nil
        }
        let token = OpaqueToken.make(tenant: tenant.uuid)
        let entry = AuditEntry(
            .passwordResetAsked, "user", person.id,
            by: .person(person.id, email: email), origin)
        let kept = try await check.database.withTenant(tenant) { tx in
            try await tx.run(PasswordReset.lock(person.id, in: tenant.id))
            let kept = try await tx.run(PasswordReset.insert(token, for: person.id, now: .now(), into: tenant.id))
            if kept == 1 { try await tx.run(entry.insert(into: tenant.id)) }
            return kept
        }
        return kept == 1 ? links.passwordReset(for: email, token) : nil
    }

    /// Ends all sessions of the person.
    @Sendable private func reset(_ request: Request, _ context: QueryContext) async throws -> HTTPResponse.Status {
        var body = try await JSONBody(request, context)
        let text = body.requiredText("token")
        let password = body.required("password") { $0.newPassword($1) } ?? ""
        try body.check()
        guard let token = OpaqueToken(parsing: text), let tenant = try await directory.tenant(token.tenantID),
            let email = try await check.database.read(tenant, PasswordReset.owner(of: token, in: tenant.id)).first
        else { throw Problem.invalidToken }
        let hash = try await check.passwords.hash(password)
        let origin = context.origin(of: request)
        try await check.database.withTenant(tenant) { tx in
            guard let user = try await tx.first(PasswordReset.use(token, toSet: hash, in: tenant.id)) else {
                throw Problem.invalidToken
            }
            let entry = AuditEntry(
                .passwordReset, "user", user,
                by: .person(user, email: email), origin)
            try await tx.run(entry.insert(into: tenant.id))
        }
        directory.invalidate(tenant.id) // other processes, and other tenants, hear of it from the database
        check.door.pardon(email)
        return .noContent
    }
}
