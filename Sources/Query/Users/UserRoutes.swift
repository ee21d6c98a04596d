import Foundation
import HTTPTypes
import Hummingbird
import Postgres
import Shared

/// `/users`: the members of the tenant and those who are invited, and oneself.
struct UserRoutes: Sendable {
    let database: Database
    let members: Members

    func register(on api: TenantRoutes) {
        api.get("users/me", requires: nil, evenBeforePasswordChange: true, use: me)
        api.patch("users/me", requires: nil, use: changeMe)
        api.get("users", requires: .usersRead, use: list)
        api.post("users", requires: .usersWrite, use: create)
        api.get("users/:id", requires: .usersRead, use: one)
        api.put("users/:id", requires: .usersWrite, use: change)
        api.delete("users/:id", requires: .usersWrite, use: remove)
        api.post("users/:id/erase", requires: .usersWrite, use: erase)
    }

    /// Whoever is signed in may know who they are and what they may do.
    @Sendable private func me(_ request: Request, _ context: TenantContext) async throws -> Answer<OwnProfile> {
        _ = try context.session
        let member = try await database.read(context, Member.find(context.principal.id, in: context.tenantID)).first
        guard let member else { throw Problem.unauthorized() }
        return Answer(OwnProfile(member: member, tenant: context.tenant, scopes: context.principal.scopes))
    }

    /// The name is one's own, in every tenant.
    @Sendable private func changeMe(_ request: Request, _ context: TenantContext) async throws -> Answer<OwnProfile> {
        _ = try context.session
        var body = try await JSONBody(request, context)
        let name = body.has("name") ? body.required("name") { $0.name($1) } : nil
        try body.check()
        let principal = context.principal
        let origin = context.origin(of: request)
        let changed = try await database.withTenant(context) { tx in
            guard let member = try await tx.first(Member.find(principal.id, in: tx.tenantID)) else {
                throw Problem.unauthorized()
            }
            try request.checkIfMatch(OwnProfile(member: member, tenant: context.tenant, scopes: principal.scopes))
            guard let name, name != member.name else { return member }
            try await tx.run(Member.rename(principal.id, to: name))
            guard let changed = try await tx.first(Member.find(principal.id, in: tx.tenantID)) else {
                throw Problem.unauthorized()
            }
            let entry = AuditEntry(
                .profileChanged, "user", principal.id, before: member, after: changed, by: principal, origin)
            try await tx.run(entry.insert(into: tx.tenantID))
            return changed
        }
        return Answer(OwnProfile(member: changed, tenant: context.tenant, scopes: principal.scopes))
    }

    @Sendable private func list(_ request: Request, _ context: TenantContext) async throws -> PageAnswer<Member> {
        let page = try PageRequest<UUID>(request, tenant: context.tenant.uuid)
        let found = try await database.read(
            context, Member.page(after: page.after, limit: page.fetchLimit, in: context.tenantID))
        return try PageAnswer(found, page, of: request, context) { $0.id }
    }

    @Sendable private func one(_ request: Request, _ context: TenantContext) async throws -> Answer<Member> {
        let id = try context.id("user")
        guard let member = try await database.read(context, Member.findAny(id, in: context.tenantID)).first
        else { throw Problem.notFound("user") }
        return Answer(member)
    }

    @Sendable private func create(_ request: Request, _ context: TenantContext) async throws -> Answer<Member> {
        var body = try await JSONBody(request, context)
        let wanted = try MemberRequest(&body)
        let member = try await members.add(wanted, by: context, context.origin(of: request))
        return Answer(member, createdAt: "/api/v1/users/\(member.id.lowercaseString)")
    }

    @Sendable private func change(_ request: Request, _ context: TenantContext) async throws -> Answer<Member> {
        let id = try context.id("user")
        var body = try await JSONBody(request, context)
        let wanted = try MemberChange(&body)
        return Answer(
            try await members.change(id, wanted, by: context, context.origin(of: request)) {
                try request.checkIfMatch($0)
            })
    }

    @Sendable private func remove(_ request: Request, _ context: TenantContext) async throws -> HTTPResponse.Status {
        let id = try context.id("user")
        try await members.remove(id, by: context, context.origin(of: request)) { try request.checkIfMatch($0) }
        return .noContent
    }

    /// Also of who was a member once.
    @Sendable private func erase(_ request: Request, _ context: TenantContext) async throws -> HTTPResponse.Status {
        try await members.erase(context.id("user"), by: context, context.origin(of: request))
        return .noContent
    }
}

/// `/users/me`: the user, the tenant that the token is for, and the scopes that the role gives there.
struct OwnProfile: JSONWritable {
    let member: Member
    let tenant: Tenant
    let scopes: Set<Scope>

    func write(to json: inout JSONWriter) {
        json.object { object in
            member.write(fieldsOf: &object)
            object.field("tenant_id", tenant.uuid)
            object.field("tenant", TenantView(tenant: tenant, name: member.tenantName))
            object.field("scopes", scopes.map(\.rawValue).sorted())
        }
    }
}
