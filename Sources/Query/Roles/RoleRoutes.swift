import Foundation
import HTTPTypes
import Hummingbird
import Postgres
import Shared

/// `/roles`: those of the house, which are the same everywhere, and the tenant's own.
struct RoleRoutes: Sendable {
    let database: Database
    let directory: AccessDirectory

    func register(on api: TenantRoutes) {
        api.get("roles", requires: .rolesRead, use: list)
        api.post("roles", requires: .rolesWrite, use: create)
        api.get("roles/:id", requires: .rolesRead, use: one)
        api.patch("roles/:id", requires: .rolesWrite, use: change)
        api.delete("roles/:id", requires: .rolesWrite, use: delete)
    }

    @Sendable private func list(_ request: Request, _ context: TenantContext) async throws -> PageAnswer<TenantRole> {
        let page = try PageRequest<UUID>(request, tenant: context.tenant.uuid)
        let own = try await database.read(
            context, TenantRole.page(after: page.after, limit: page.fetchLimit, in: context.tenantID))
        let ofTheHouse = TenantRole.builtIn.filter { role in page.after.map { role.id > $0 } ?? true }
        return try PageAnswer(ofTheHouse + own, page, of: request, context) { $0.id }
    }

    @Sendable private func one(_ request: Request, _ context: TenantContext) async throws -> Answer<TenantRole> {
        let id = try context.id("role")
        if let role = TenantRole.builtIn.first(where: { $0.id == id }) { return Answer(role) }
        guard let role = try await database.read(context, TenantRole.find(id, in: context.tenantID)).first
        else { throw Problem.notFound("role") }
        return Answer(role)
    }

    @Sendable private func create(_ request: Request, _ context: TenantContext) async throws -> Answer<TenantRole> {
        var body = try await JSONBody(request, context)
        let name = body.required("name") { $0.roleName($1) } ?? ""
        let scopes = body.required("scopes") { $0.scopes($1) } ?? []
        try body.check()
        try context.mayReachAllSites()
        try context.principal.mayGrant(scopes)
        let origin = context.origin(of: request)
        return try await database.withTenant(context) { tx in
            let insert = TenantRole.insert(name: name, scopes: scopes, into: context.tenantID)
            guard let role = try await tx.first(insert) else { throw Problem.internal("a new role was not answered") }
            let entry = AuditEntry(
                .roleCreated, "role", role.id, before: TenantRole?.none, after: role, by: context.principal, origin)
            try await tx.run(entry.insert(into: context.tenantID))
            return Answer(role, createdAt: "/api/v1/roles/\(role.id.lowercaseString)")
        }
    }

    /// Its holders have the new scopes within seconds.
    @Sendable private func change(_ request: Request, _ context: TenantContext) async throws -> Answer<TenantRole> {
        try context.mayReachAllSites()
        let id = try ownID(context)
        var body = try await JSONBody(request, context)
        let name = body.has("name") ? body.required("name") { $0.roleName($1) } : nil
        let scopes = body.has("scopes") ? body.required("scopes") { $0.scopes($1) } : nil
        try body.check()
        let origin = context.origin(of: request)
        let changed = try await database.withTenant(context) { tx in
            let role = try await locked(id, request, context, in: tx)
            try context.principal.mayGrant(scopes ?? [])
            let statement = role.change(name: name ?? role.name, scopes: scopes ?? role.scopes, in: context.tenantID)
            guard let changed = try await tx.first(statement) else { throw Problem.notFound("role") }
            let entry = AuditEntry(
                .roleChanged, "role", id, before: role, after: changed, by: context.principal, origin)
            try await tx.run(entry.insert(into: context.tenantID))
            return changed
        }
        directory.invalidate(context.tenantID)
        return Answer(changed)
    }

    @Sendable private func delete(_ request: Request, _ context: TenantContext) async throws -> HTTPResponse.Status {
        try context.mayReachAllSites()
        let id = try ownID(context)
        let origin = context.origin(of: request)
        do {
            try await database.withTenant(context) { tx in
                let role = try await locked(id, request, context, in: tx)
                let entry = AuditEntry(
                    .roleDeleted, "role", id, before: role, after: TenantRole?.none, by: context.principal, origin)
                try await tx.run(all: [role.delete(in: context.tenantID), entry.insert(into: context.tenantID)])
            }
        } catch let error as PipelineError where error.underlying.sqlState == "23503" {
            throw Problem.conflict("role_in_use", detail: "Somebody has this role, or is invited to it.")
        }
        return .noContent
    }

    /// Whoever changes a role must hold what it gives, before and after.
    private func locked(
        _ id: UUID, _ request: Request, _ context: TenantContext, in tx: TenantTransaction
    ) async throws -> TenantRole {
        guard let role = try await tx.first(TenantRole.lock(id, in: context.tenantID)) else {
            throw Problem.notFound("role")
        }
        try request.checkIfMatch(role)
        try context.principal.mayGrant(role.scopes)
        return role
    }

    private func ownID(_ context: TenantContext) throws -> UUID {
        let id = try context.id("role")
        guard !TenantRole.builtIn.contains(where: { $0.id == id }) else {
            throw Problem.conflict("built_in", detail: "This role is the same everywhere; make one of your own.")
        }
        return id
    }
}

extension JSONBody {
    fileprivate mutating func roleName(_ name: String) -> String? {
        guard let text = self.name(name) else { return nil }
        // As it is seen: without marks on letters, other forms of them, and what has no width.
        let seen = text.decomposedStringWithCompatibilityMapping.lowercased().unicodeScalars.filter(\.isASCII)
        guard text.unicodeScalars.count <= 100, Role(rawValue: String(String.UnicodeScalarView(seen))) == nil else {
            refuse(name, "invalid_name", "Must have at most 100 characters and be none of the roles of the house.")
            return nil
        }
        return text
    }
}
