import Foundation
import Postgres
import Shared

/// Makes, changes and ends memberships.
struct Members: Sendable {
    /// Seconds that an invitation can be accepted.
    static let invitationLifetime: Int64 = 7 * 86_400

    let database: Database
    let directory: AccessDirectory
    let passwords: PasswordHasher
    let postman: Postman
    let admission: Admission
    let links: Links

    /// A member at once, where the request brings a password and the person is new; otherwise somebody invited: who exists already
    /// joins by their own will.
    ///
    /// - Throws: `Problem` 403, 409, 422.
    func add(_ wanted: MemberRequest, by context: TenantContext, _ origin: AuditEntry.Origin) async throws -> Member {
        if wanted.password != nil, context.principal.kind != .user {
            // Or it would have a person who lives on after its own end.
            throw Problem.forbidden(code: "no_session", detail: "Programs invite people, who choose their passwords.")
        }
        let isKnown = try await !database.lookUp(SignInCandidate.all(of: wanted.email)).isEmpty
        let hash: String?
        if let password = wanted.password, !isKnown {
            hash = try await passwords.hash(password) // it takes long on purpose: not within a transaction
        } else {
            hash = nil
            try await admission.letter(of: context.tenant, to: wanted.email)
        }
        let token = OpaqueToken.make(tenant: context.tenant.uuid)
        let member = try await database.withTenant(context) { tx in
            try await mayBecome(wanted.role, wanted.siteIDs, context, in: tx)
            let earlier = try await invited(wanted.email, by: context, in: tx)
            let member =
                if let hash, let made = try await make(wanted, hash, in: tx) {
                    made
                } else { try await invite(wanted, token, by: context, in: tx) }
            let action: AuditEntry.Action = member.status == .active ? .userCreated : .userInvited
            let entry = AuditEntry(
                action, "user", member.id, before: earlier, after: member, by: context.principal, origin)
            try await tx.run(entry.insert(into: context.tenantID))
            return member
        }
        if member.status == .invited {
            try postman.take { links.invitation(of: member, by: context.principal.name, token) }
        }
        return member
    }

    /// - Throws: `Problem` 403, 404, 409 for the last owner, 412, 422.
    func change(
        _ id: UUID, _ wanted: MemberChange, by context: TenantContext, _ origin: AuditEntry.Origin,
        check: @Sendable (Member) throws -> Void
    ) async throws -> Member {
        let changed = try await database.withTenant(context) { tx in
            let member = try await locked(id, by: context, in: tx, check)
            try wanted.check(against: member)
            try await mayBecome(wanted.role, wanted.siteIDs, context, in: tx)
            try await tx.run(member.change(role: wanted.role, sites: wanted.siteIDs, in: context.tenantID))
            guard let changed = try await tx.first(Member.findAny(id, in: context.tenantID)) else {
                throw Problem.notFound("user")
            }
            let entry = AuditEntry(
                .memberChanged, "user", id, before: member, after: changed, by: context.principal, origin)
            try await tx.run(entry.insert(into: context.tenantID))
            return changed
        }
        directory.invalidate(context.tenantID) // other processes hear of it from the database
        return changed
    }

    /// - Throws: as ``change(_:_:by:_:check:)``.
    func remove(
        _ id: UUID, by context: TenantContext, _ origin: AuditEntry.Origin, check: @Sendable (Member) throws -> Void
    ) async throws {
        try await database.withTenant(context) { tx in
            let member = try await locked(id, by: context, in: tx, check)
            let action: AuditEntry.Action = member.status == .active ? .memberRemoved : .invitationWithdrawn
            let entry = AuditEntry(
                action, "user", id, before: member, after: Member?.none, by: context.principal, origin)
            try await tx.run(all: member.remove(in: context.tenantID) + [entry.insert(into: context.tenantID)])
        }
        directory.invalidate(context.tenantID)
    }

    /// Ends the membership, where there is one, and blanks what the tenant keeps of the person.
    /// - Throws: as ``remove(_:by:_:check:)``; 404 for somebody of whom the tenant knows nothing.
    func erase(_ id: UUID, by context: TenantContext, _ origin: AuditEntry.Origin) async throws {
        try await database.withTenant(context) { tx in
            try await tx.run(all: Member.lock(id, in: tx.tenantID))
            let member = try await tx.first(Member.findAny(id, in: tx.tenantID))
            if let member {
                try context.mayGrant(member.scopes, sites: member.siteIDs)
                try await tx.run(all: member.remove(in: tx.tenantID))
            } else {
                // What they were let do is not known any more.
                try context.mayReachAllSites()
                guard try await tx.first(Member.isRemembered(id, in: tx.tenantID)) == true else {
                    throw Problem.notFound("user")
                }
            }
            // Before all is blanked: whoever erases themselves is blanked here, too.
            let entry = AuditEntry(.personErased, "user", id, by: context.principal.actor, origin)
            try await tx.run(entry.insert(into: tx.tenantID))
            // Of a long history that takes longer than a request's statement usually may.
            try await tx.run("SELECT set_config('statement_timeout', '600000', true)")
            try await tx.run("SELECT erase_person_from_goods(\(id), \(member?.email))")
            try await tx.run("SELECT erase_person(\(id), \(member?.email))")
        }
        directory.invalidate(context.tenantID)
    }

    private func make(_ wanted: MemberRequest, _ hash: String, in tx: TenantTransaction) async throws -> Member? {
        let id = UUID.v7()
        // Whoever set the password is not who uses it: that one chooses another first.
        let add = Member.addUser(
            id, email: wanted.email, name: wanted.name, passwordHash: hash, mustChange: true)
        guard try await tx.first(add) == true else { return nil }
        let join = Member.join(id, role: wanted.role, sites: wanted.siteIDs, in: tx.tenantID)
        try await tx.run(all: [join, Invitation.withdraw(wanted.email, in: tx.tenantID)])
        return try await tx.first(Member.find(id, in: tx.tenantID))
    }

    /// Whom the same address was invited to be before.
    /// - Throws: `Problem` 403 where that is more than the principal may decide.
    private func invited(
        _ email: String, by context: TenantContext, in tx: TenantTransaction
    ) async throws -> Member? {
        guard let id = try await tx.first(Invitation.lock(email, in: tx.tenantID)),
            let earlier = try await tx.first(Member.findAny(id, in: tx.tenantID))
        else { return nil }
        try context.mayGrant(earlier.scopes, sites: earlier.siteIDs)
        return earlier
    }

    /// Inviting again makes the earlier invitation void.
    private func invite(
        _ wanted: MemberRequest, _ token: OpaqueToken, by context: TenantContext, in tx: TenantTransaction
    ) async throws -> Member {
        guard try await tx.first(Member.exists(wanted.email, in: tx.tenantID)) == false else {
            throw Problem.conflict("already_member", detail: "This person is a member already.")
        }
        guard postman.delivers else {
            throw Problem.conflict("no_mail", detail: "This installation sends no mail, so it can invite nobody.")
        }
        let expiry = Timestamp.now().adding(seconds: Self.invitationLifetime)
        let insert = Invitation.insert(wanted, token, by: context.principal.personID, until: expiry, into: tx.tenantID)
        guard let id = try await tx.first(insert), let member = try await tx.first(Member.findAny(id, in: tx.tenantID))
        else { throw Problem.internal("a new invitation was not answered") }
        return member
    }

    /// - Throws: `Problem` 403 for a member who may do what the principal may not.
    private func locked(
        _ id: UUID, by context: TenantContext, in tx: TenantTransaction, _ check: (Member) throws -> Void
    ) async throws -> Member {
        try await tx.run(all: Member.lock(id, in: context.tenantID))
        guard let member = try await tx.first(Member.findAny(id, in: context.tenantID)) else {
            throw Problem.notFound("user")
        }
        try check(member)
        try context.mayGrant(member.scopes, sites: member.siteIDs)
        return member
    }

    private func mayBecome(
        _ role: String, _ sites: [UUID], _ context: TenantContext, in tx: TenantTransaction
    ) async throws {
        let scopes: Set<Scope>
        if let ofTheHouse = Role(rawValue: role) {
            scopes = ofTheHouse.scopes
        } else if let own = try await tx.first(TenantRole.named(role, in: tx.tenantID)) {
            scopes = own.held
        } else {
            throw Problem.unprocessable([.init(field: "role", code: "unknown", detail: "There is no such role.")])
        }
        let known = try await tx.first(Site.count(sites, in: tx.tenantID))
        guard known == Int64(Set(sites).count) else {
            throw Problem.unprocessable([
                .init(field: "site_ids", code: "unknown", detail: "There is no such site.")
            ])
        }
        try context.mayGrant(scopes, sites: sites)
    }
}
