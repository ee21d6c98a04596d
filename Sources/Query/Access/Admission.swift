import Hummingbird
import Shared
import Synchronization

/// How often who may ask.
final class Admission: Sendable {
    /// Addresses remembered that asked too often; past it all are forgotten.
    private static let capacity = 100_000

    private let rates: RateLimiter
    private let strangersRate: Double
    private let refusedUntil = Mutex<[IPAddress: ContinuousClock.Instant]>([:])

    /// - Parameter strangersRate: requests a second of an address that has not said whose they are; the burst is five times that.
    init(rates: RateLimiter, strangersRate: Double) {
        (self.rates, self.strangersRate) = (rates, strangersRate)
    }

    /// - Throws: `Problem` 429.
    func admit(_ signedIn: SignedIn) async throws {
        let (tenant, plan) = (signedIn.tenant, signedIn.tenant.plan)
        let (own, all) = (plan.apiRequestsPerSecondAndPrincipal, plan.apiRequestsPerSecond)
        try await take([
            RateLimit(.principal(signedIn.principal.id), rate: own, burst: own * 2),
            RateLimit(.tenant(tenant.uuid), rate: all, burst: all * 2),
        ])
    }

    /// A letter that a tenant has sent to somebody: nobody uses us to write to whom they like, and as often as they like.
    /// - Throws: `Problem` 429.
    func letter(of tenant: Tenant, to email: String) async throws {
        try await take([
            RateLimit(.letters(of: tenant.uuid), rate: 100 / 3_600, burst: 100),
            RateLimit(.mailbox(sha256(email)), rate: 3 / 3_600, burst: 3),
        ])
    }

    /// Somebody who is not signed in, or only says so.
    /// - Throws: `Problem` 429.
    func stranger(_ address: IPAddress?) async throws {
        guard let address else { return }
        let limit = RateLimit(.address(address.subscriber), rate: strangersRate, burst: strangersRate * 5)
        do {
            try await rates.take([limit])
        } catch {
            refusedUntil.withLock { refused in
                if refused.count >= Self.capacity { refused = [:] }
                refused[address.subscriber] = .now + .seconds(error.wait)
            }
            throw error.problem
        }
    }

    /// Whoever was refused as a stranger a moment ago, before their credentials are looked for in the database.
    /// - Throws: `Problem` 429.
    func checkGuesses(_ address: IPAddress?) async throws {
        guard let address, let until = refusedUntil.withLock({ $0[address.subscriber] }) else { return }
        if until > .now { try await stranger(address) }
        refusedUntil.withLock { $0[address.subscriber] = nil }
    }

    private func take(_ limits: [RateLimit]) async throws {
        do {
            try await rates.take(limits)
        } catch {
            throw error.problem
        }
    }
}

/// For the routes that need no credentials.
struct StrangerLimit: RouterMiddleware {
    typealias Context = QueryContext

    let admission: Admission

    func handle(
        _ request: Request, context: QueryContext, next: (Request, QueryContext) async throws -> Response
    ) async throws -> Response {
        try await admission.stranger(context.client)
        return try await next(request, context)
    }
}
