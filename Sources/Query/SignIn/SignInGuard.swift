import Shared
import Synchronization

/// The door of the sign-in: lets an attempt begin, or says how long to wait.
final class SignInGuard: Sendable {
    /// An attempt under way. It counts as failed until it says that it succeeded.
    struct Attempt: Sendable {
        fileprivate let door: SignInGuard
        fileprivate let subjects: [FailureThrottle.Subject]

        func succeeded() {
            door.throttle.withLock { $0.forgive(subjects) }
        }

        /// It could not be decided: the database was away, or too many passwords were waiting to be checked.
        func withdraw() {
            door.throttle.withLock { $0.withdraw(subjects) }
        }
    }

    private let throttle: Mutex<FailureThrottle>
    private let policy: RateLimitPolicy
    private let refused: Counter

    init(_ limits: FailureThrottle.Limits = .init(), metrics: MetricRegistry) {
        throttle = Mutex(FailureThrottle(limits))
        policy = RateLimitPolicy(
            "failed_sign_ins", quota: limits.freeFailures, window: Int(limits.window.components.seconds))
        refused = metrics.counter(
            "pulsegate_sign_ins_throttled_total", help: "Sign-ins refused after too many failures.")
    }

    /// Whoever it was, they have proved now that the account is theirs.
    func pardon(_ email: String) {
        throttle.withLock { $0.forgive([.account(email)]) }
    }

    /// - Throws: `Problem` 429.
    func begin(email: String, address: String?) throws -> Attempt {
        let subjects = [.account(email)] + (address.map { [FailureThrottle.Subject.address($0)] } ?? [])
        guard let wait = throttle.withLock({ $0.attempt(subjects, now: .now) }) else {
            return Attempt(door: self, subjects: subjects)
        }
        refused.increment()
        throw Problem.tooManyRequests(policy, retryAfter: Int(wait.components.seconds) + 1)
    }
}
