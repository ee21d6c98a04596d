import Hummingbird
import Shared

/// Becoming an owner: of a tenant of one's own, or of the installation's first.
struct RegistrationRoutes: Sendable {
    let registration: Registration
    let sessions: Sessions

    func register(on open: RouterGroup<QueryContext>) {
        open.post("auth/register", use: register)
        open.post("auth/bootstrap", use: bootstrap)
    }

    @Sendable private func register(_ request: Request, _ context: QueryContext) async throws -> Answer<SignInAnswer> {
        var body = try await JSONBody(request, context)
        let person = body.required("user") { $0.nested($1) { NewPerson(&$0) } }
        let tenant = body.required("tenant") { $0.nested($1) { NewTenant(&$0) } }
        try body.check()
        guard let person, let tenant else { throw Problem.internal("a part that was demanded is not there") }
        let origin = context.origin(of: request)
        let founded = try await registration.register(person, tenant, origin)
        return try await welcome(person, to: founded, origin)
    }

    @Sendable private func bootstrap(_ request: Request, _ context: QueryContext) async throws -> Answer<SignInAnswer> {
        var body = try await JSONBody(request, context)
        let token = body.text("token") ?? request.bearerToken ?? ""
        let person = body.required("user") { $0.nested($1) { NewPerson(&$0) } }
        try body.check()
        guard let person else { throw Problem.internal("a part that was demanded is not there") }
        let origin = context.origin(of: request)
        let tenant = try await registration.bootstrap(person, token: token, origin)
        return try await welcome(person, to: tenant, origin)
    }

    private func welcome(
        _ person: NewPerson, to tenant: Tenant, _ origin: AuditEntry.Origin
    ) async throws -> Answer<SignInAnswer> {
        Answer(
            try await sessions.welcome(person.email, to: tenant, origin), isSecret: true,
            createdAt: "/api/v1/tenants/current")
    }
}
