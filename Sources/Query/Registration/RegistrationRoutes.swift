import Hummingbird
import Shared

/// Becoming an owner: of a tenant of one's own, or of the installation's first.
struct RegistrationRoutes: Sendable {
    let registration: Registration
    let check: PasswordCheck
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
        try await registration.register(person, tenant, context.origin(of: request))
        return try await signIn(person, tenant.slug, request, context)
    }

    @Sendable private func bootstrap(_ request: Request, _ context: QueryContext) async throws -> Answer<SignInAnswer> {
        var body = try await JSONBody(request, context)
        let token = body.text("token") ?? request.bearerToken ?? ""
        let person = body.required("user") { $0.nested($1) { NewPerson(&$0) } }
        try body.check()
        guard let person else { throw Problem.internal("a part that was demanded is not there") }
        let tenant = try await registration.bootstrap(person, token: token, context.origin(of: request))
        return try await signIn(person, tenant.slug, request, context)
    }

    private func signIn(
        _ person: NewPerson, _ tenant: String, _ request: Request, _ context: QueryContext
    ) async throws -> Answer<SignInAnswer> {
        let signIn = SignIn(email: person.email, password: person.password, tenants: [tenant])
        let answer = try await sessions.signIn(signIn, check, from: context.address, context.origin(of: request))
        return Answer(answer, isSecret: true, createdAt: "/api/v1/tenants/current")
    }
}
