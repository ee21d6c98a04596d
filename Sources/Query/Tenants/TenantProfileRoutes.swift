import Foundation
import HTTPTypes
import Hummingbird
import Postgres
import Shared

/// `/tenants`: those of the person, and the one that the token is for.
struct TenantProfileRoutes: Sendable {
    let database: Database
    let directory: AccessDirectory
    let registration: Registration

    func register(on api: TenantRoutes) {
        api.get("tenants", requires: nil, use: mine)
        api.post("tenants", requires: nil, use: create)
        api.get("tenants/current", requires: .tenantRead, use: current)
        api.patch("tenants/current", requires: .tenantWrite, use: change)
        api.delete("tenants/current", requires: .tenantDelete, use: deactivate)
    }

    /// Those that the person may enter: as many as they have memberships, so all on one page.
    @Sendable private func mine(_ request: Request, _ context: TenantContext) async throws -> PageAnswer<TenantOfMine> {
        _ = try context.session
        let candidates = try await database.lookUp(SignInCandidate.all(of: context.principal.name))
        return try PageAnswer(
            candidates.compactMap(\.membership).map(TenantOfMine.init), .everything(request, context), of: request,
            context
        ) { $0.membership.tenant.uuid }
    }

    @Sendable private func create(_ request: Request, _ context: TenantContext) async throws -> Answer<TenantOfMine> {
        _ = try context.session
        var body = try await JSONBody(request, context)
        let new = NewTenant(&body)
        try body.check()
        let tenant = try await registration.register(new, for: context.principal, context.origin(of: request))
        let membership = SignInCandidate.Membership(
            tenant: tenant, tenantName: new.name, role: Role.owner.rawValue)
        return Answer(TenantOfMine(membership: membership), createdAt: "/api/v1/tenants")
    }

    @Sendable private func current(_ request: Request, _ context: TenantContext) async throws -> Answer<TenantProfile> {
        guard let tenant = try await database.read(context, TenantProfile.find(context.tenantID)).first
        else { throw Problem.notFound("tenant") }
        return Answer(tenant)
    }

    @Sendable private func change(_ request: Request, _ context: TenantContext) async throws -> Answer<TenantProfile> {
        var body = try await JSONBody(request, context)
        let change = try TenantChange(&body)
        let changed = try await write(.tenantChanged, request, context) { change.apply(to: $0, context.tenantID) }
        return Answer(changed)
    }

    /// Everybody is signed out within seconds, and gateways are refused; nothing is deleted.
    @Sendable private func deactivate(
        _ request: Request, _ context: TenantContext
    ) async throws -> HTTPResponse.Status {
        _ = try await write(.tenantDeactivated, request, context) { _ in TenantProfile.deactivate(context.tenantID) }
        return .noContent
    }

    private func write(
        _ action: AuditEntry.Action, _ request: Request, _ context: TenantContext,
        _ command: @Sendable (TenantProfile) -> Command
    ) async throws -> TenantProfile {
        try context.mayReachAllSites()
        let origin = context.origin(of: request)
        let changed = try await database.withTenant(context) { tx in
            try await tx.run(TenantProfile.lock(context.tenantID))
            let found = TenantProfile.find(context.tenantID)
            guard let before = try await tx.first(found) else { throw Problem.notFound("tenant") }
            try request.checkIfMatch(before)
            try await tx.run(command(before))
            guard let after = try await tx.first(found) else { throw Problem.notFound("tenant") }
            let entry = AuditEntry(
                action, "tenant", context.tenant.uuid, before: before, after: after, by: context.principal, origin)
            try await tx.run(entry.insert(into: context.tenantID))
            return after
        }
        directory.invalidate(context.tenantID) // other processes hear of it from the database
        return changed
    }
}

/// A tenant as one of its members sees it in a list.
struct TenantOfMine: JSONWritable {
    let membership: SignInCandidate.Membership

    func write(to json: inout JSONWriter) {
        json.object { object in
            TenantView(tenant: membership.tenant, name: membership.tenantName).write(fieldsOf: &object)
            object.field("role", membership.role)
        }
    }
}
