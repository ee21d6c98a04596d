import Foundation
import Shared
import Synchronization

/// A tenant or its credential asks too often.
struct NotAdmitted: Error {
    /// 429 with Retry-After.
    let problem: Problem
    /// How long the answer is held back.
    let delay: Duration
}

/// The rates of a tenant and of one of its keys.
///
/// Refusing costs too, and who does not heed Retry-After would have us do nothing else. So refusals leave no faster than the rate itself allows requests: the connection of
/// who asks a hundred times too often waits for its answer, and what it sends meanwhile stays in its own socket.
final class Admission: Sendable {
    /// Kept at most.
    private static let capacity = 100_000

    private let rates: RateLimiter
    private let refusals = Mutex<[RateLimit: RefusalPace]>([:])

    init(rates: RateLimiter) {
        self.rates = rates
    }

    /// - Throws: ``NotAdmitted``; hold nothing while you wait.
    func admit(_ tenant: Tenant, credential: UUID) async throws(NotAdmitted) {
        let (perKey, all) = (tenant.plan.ingestRequestsPerSecondAndKey, tenant.plan.ingestRequestsPerSecond)
        do {
            try await rates.take([
                RateLimit(.principal(credential), rate: perKey, burst: perKey * 2),
                RateLimit(.tenant(tenant.uuid), rate: all, burst: all * 2),
            ])
        } catch {
            throw NotAdmitted(problem: error.problem, delay: delay(of: error.limit, at: .now))
        }
    }

    private func delay(of limit: RateLimit, at now: ContinuousClock.Instant) -> Duration {
        refusals.withLock { refusals in
            if refusals.count >= Self.capacity { refusals = [:] } // nobody waits longer for that
            return refusals[limit, default: RefusalPace(rate: limit.rate, now: now)].delay(at: now)
        }
    }
}

/// Lets a refused request's answer go once the rate is exceeded no more.
func holdingBackRefusals<Answer>(_ answer: () async throws -> Answer) async throws -> Answer {
    do {
        return try await answer()
    } catch let refusal as NotAdmitted {
        // Cancelled, nobody waits for the answer any more.
        try await Task.sleep(for: refusal.delay)
        throw refusal.problem
    }
}
