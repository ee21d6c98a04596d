import Foundation
import Postgres
import Shared

/// Begins, renews and ends sessions.
struct Sessions: Sendable {
    let database: Database
    let tokens: AccessTokens
    let directory: AccessDirectory
    private let reused: Counter

    init(database: Database, tokens: AccessTokens, directory: AccessDirectory, metrics: MetricRegistry) {
        self.database = database
        self.tokens = tokens
        self.directory = directory
        reused = metrics.counter(
            "pulsegate_refresh_tokens_reused_total",
            help: "Sessions ended because a refresh token was used a second time.")
    }

    /// Everything that a sign-in leaves behind, in one transaction and one round trip.
    /// - Parameter first: changes the person's row, and thereby says whether what was checked still holds.
    /// - Throws: `Problem` 409 `changed_meanwhile` where it does not, 403 where the membership is gone.
    func begin(
        for person: Person, in tenant: Tenant, as action: AuditEntry.Action = .signedIn, after first: Command,
        from origin: AuditEntry.Origin
    ) async throws -> SignInAnswer {
        let session = NewSession(user: person.id, tenant: tenant)
        let entry = AuditEntry(action, session: session.id, of: person.id, named: person.email, origin)
        let commands = [
            first, session.insert(origin), session.insertRefreshToken(now: .now()), entry.insert(into: tenant.id),
        ]
        let member: Member? = try await database.withTenant(tenant) { tx in
            let found = Member.find(session.user, in: tenant.id).erased
            let results = try await tx.pipeline(commands.map(\.erased) + [found])
            guard results.first?.affectedRows == 1 else {
                throw Problem.changedMeanwhile
            }
            return try results.last?.rows(as: Member.self).first
        }
        // The membership went between the look-up and now; the foreign key of sessions would have refused it, too.
        guard let member else { throw Problem.noMembership }
        return try await answer(member, session.id, session.refreshToken, in: tenant, person.memberships)
    }

    /// The next tokens of a session, for a refresh token that was not used before.
    /// - Parameter named: by header and host: must be the token's own tenant.
    /// - Throws: `Problem` 401, 403; an old token ends its session.
    func renew(_ text: String, named: [String], _ origin: AuditEntry.Origin) async throws -> SignInAnswer {
        guard let token = OpaqueToken(parsing: text), let tenant = try await directory.tenant(token.tenantID) else {
            throw Problem.invalidRefreshToken
        }
        guard tenant.isNamed(named) else { throw Problem.wrongTenant }
        let next = OpaqueToken.make(tenant: tenant.uuid)
        let renewed: SignInAnswer? = try await database.withTenant(tenant) { tx in
            let now = Timestamp.now()
            guard let session = try await tx.first(OpenSession.exchange(token, for: next, in: tenant.id, now: now))
            else {
                try await endAfterReuse(of: token, origin, in: tx)
                return nil
            }
            guard let member = try await tx.first(Member.find(session.user, in: tenant.id)) else {
                throw Problem.invalidRefreshToken
            }
            // All that may fail comes before COMMIT: after it the old token is used up.
            let memberships = try await tx.all(SignInCandidate.all(of: member.email)).compactMap(\.membership)
            return try await answer(member, session.id, next, in: tenant, memberships)
        }
        guard let renewed else { throw Problem.invalidRefreshToken }
        return renewed
    }

    func end(_ context: TenantContext, _ origin: AuditEntry.Origin) async throws {
        try await write(OpenSession.end(context.session, in: context.tenantID), .signedOut, context, origin)
    }

    func endAll(_ context: TenantContext, _ origin: AuditEntry.Origin) async throws {
        try await write(OpenSession.endAll(of: context.principal.id), .signedOutEverywhere, context, origin)
    }

    private func endAfterReuse(
        of token: OpaqueToken, _ origin: AuditEntry.Origin, in tx: TenantTransaction
    ) async throws {
        guard let session = try await tx.first(OpenSession.endAfterReuse(of: token, in: tx.tenantID)) else { return }
        guard let member = try await tx.first(Member.find(session.user, in: tx.tenantID)) else { return }
        let entry = AuditEntry(.refreshTokenReused, session: session.id, of: member.id, named: member.email, origin)
        try await tx.run(entry.insert(into: tx.tenantID))
        reused.increment()
    }

    private func write(
        _ change: Command, _ action: AuditEntry.Action, _ context: TenantContext, _ origin: AuditEntry.Origin
    ) async throws {
        let principal = context.principal
        let entry = AuditEntry(
            action, session: try context.session, of: principal.id, named: principal.name, origin)
        let commands = [change, entry.insert(into: context.tenantID)]
        try await database.withTenant(context) { tx in try await tx.run(all: commands) }
        directory.invalidate(context.tenantID) // other processes hear of it from the database
    }

    private func answer(
        _ member: Member, _ session: UUID, _ refreshToken: OpaqueToken, in tenant: Tenant,
        _ memberships: [SignInCandidate.Membership]
    ) async throws -> SignInAnswer {
        let scopes = member.scopes
        let token = try await tokens.issue(
            userID: member.id, tenantID: tenant.uuid, role: member.role, scopes: scopes, sessionID: session)
        return SignInAnswer(
            accessToken: token.text, refreshToken: refreshToken, member: member, tenant: tenant, scopes: scopes,
            memberships: memberships)
    }
}

extension Problem {
    /// What was looked at before is not so any more.
    static var changedMeanwhile: Problem {
        conflict("changed_meanwhile", detail: "This was changed at the same time; try again.")
    }

    /// The same for whatever is wrong with it.
    static var invalidRefreshToken: Problem {
        unauthorized(code: "invalid_refresh_token", detail: "The refresh token is unknown, expired or used. Sign in.")
    }
}
