import Foundation
import Postgres
import Shared

/// Makes tenants and their first owners.
struct Registration: Sendable {
    /// Who may found a tenant over the API.
    enum Policy: String, CaseIterable, Sendable {
        case open, closed
    }

    /// That one person may found over the API.
    static let mostTenants = 10

    let database: Database
    let passwords: PasswordHasher
    let policy: Policy
    /// Of the first owner of the installation; nil where there is to be none over the API.
    let bootstrapToken: String?

    /// A new person's own tenant.
    /// - Throws: `Problem` 403 where it is closed, 409 for a slug or an e-mail that is known.
    func register(_ person: NewPerson, _ tenant: NewTenant, _ origin: AuditEntry.Origin) async throws -> Tenant {
        try checkOpen()
        let hash = try await passwords.hash(person.password)
        return try await found(tenant, origin) { tx in
            let id = UUID.v7()
            try await add(id, person, hash, in: tx)
            return .person(id, email: person.email)
        }
    }

    /// Another tenant of somebody who has signed in.
    /// - Throws: `Problem` 403, 409 as ``register(_:_:_:)``; 429 for somebody who owns many.
    func register(_ tenant: NewTenant, for person: Principal, _ origin: AuditEntry.Origin) async throws -> Tenant {
        try checkOpen()
        return try await found(tenant, origin) { _ in person.actor }
    }

    /// Each brings what its plan gives. Those that one person founds at once take turns by the person's row, which the new membership shows.
    private func checkCount(of person: AuditEntry.Actor, in tx: TenantTransaction) async throws {
        try await tx.run("SELECT FROM users WHERE id = \(person.id) FOR NO KEY UPDATE")
        let owned = try await tx.all(SignInCandidate.all(of: person.name)).compactMap(\.membership)
            .filter { $0.role == Role.owner.rawValue }
        guard owned.count <= Self.mostTenants else {
            throw Problem.quotaExceeded(detail: "One person owns \(Self.mostTenants) tenants at most.")
        }
    }

    /// The first owner of the first tenant. Works once: of two at once one is made.
    /// - Throws: `Problem` 403, 409.
    func bootstrap(
        _ person: NewPerson, token: String, _ origin: AuditEntry.Origin
    ) async throws -> Tenant {
        guard let bootstrapToken, constantTimeEquals(sha256(token), sha256(bootstrapToken)) else {
            throw Problem.forbidden(code: "wrong_bootstrap_token", detail: "This needs the BOOTSTRAP_TOKEN.")
        }
        guard let tenant = try await database.lookUp(Tenant.bySlug("default")).first else {
            throw Problem.notFound("tenant")
        }
        let hash = try await passwords.hash(person.password)
        try await database.withTenant(tenant) { tx in
            try await tx.run("SELECT FROM tenants WHERE id = \(tenant.id) FOR NO KEY UPDATE")
            let isTaken: Statement<Bool> =
                "SELECT EXISTS (SELECT FROM memberships WHERE tenant_id = \(tenant.id))"
            guard try await tx.first(isTaken) == false else {
                throw Problem.conflict("already_bootstrapped", detail: "There is a first owner already.")
            }
            let id = UUID.v7()
            try await add(id, person, hash, in: tx)
            try await own(tenant, .person(id, email: person.email), origin, in: tx)
        }
        return tenant
    }

    private func found(
        _ new: NewTenant, _ origin: AuditEntry.Origin,
        _ owner: @Sendable (TenantTransaction) async throws -> AuditEntry.Actor
    ) async throws -> Tenant {
        do {
            return try await database.founding(new.found()) { tx, tenant in
                let owner = try await owner(tx)
                try await own(tenant, owner, origin, in: tx)
                try await checkCount(of: owner, in: tx)
                return tenant
            }
        } catch let error as PostgresError where error.sqlState == "23505" {
            throw Problem.conflict("slug_taken", detail: "There is a tenant of this slug already.")
        }
    }

    private func own(
        _ tenant: Tenant, _ owner: AuditEntry.Actor, _ origin: AuditEntry.Origin, in tx: TenantTransaction
    ) async throws {
        guard let id = owner.id else { throw Problem.internal("only people own tenants") }
        try await tx.run(Member.join(id, role: Role.owner.rawValue, sites: [], in: tenant.id))
        let profile = try await tx.first(TenantProfile.find(tenant.id))
        let entry = AuditEntry(
            .tenantCreated, "tenant", tenant.uuid, before: TenantProfile?.none, after: profile, by: owner, origin)
        try await tx.run(entry.insert(into: tenant.id))
    }

    private func add(_ id: UUID, _ person: NewPerson, _ hash: String, in tx: TenantTransaction) async throws {
        let add = Member.addUser(
            id, email: person.email, name: person.name, passwordHash: hash, mustChange: false)
        guard try await tx.first(add) == true else {
            throw Problem.conflict("email_taken", detail: "There is an account of this address already: sign in.")
        }
    }

    private func checkOpen() throws {
        guard policy == .open else {
            throw Problem.forbidden(code: "registration_closed", detail: "Here tenants are made by the operator.")
        }
    }
}
