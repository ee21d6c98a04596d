import Foundation
import Hummingbird
import Postgres
import Shared

struct UserRoutes: Sendable {
    let database: Database

    func register(on api: TenantRoutes) {
        api.get("users/me", requires: nil, evenBeforePasswordChange: true, use: me)
    }

    /// Whoever is signed in may know who they are and what they may do.
    @Sendable private func me(_ request: Request, _ context: TenantContext) async throws -> Answer<OwnProfile> {
        _ = try context.session
        let member = try await database.read(context, Member.find(context.principal.id, in: context.tenantID)).first
        guard let member else { throw Problem.unauthorized() }
        return Answer(OwnProfile(member: member, tenant: context.tenant, scopes: context.principal.scopes))
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
