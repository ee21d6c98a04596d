import Synchronization

/// How many bytes of request bodies a process holds at once, over all connections: taken while a body is read, given back when its
/// request is answered. Beyond it: 503, never an out-of-memory kill.
package final class BodyBudget: Sendable {
    private let limit: Int
    private let held = Atomic<Int>(0)

    /// - Parameter limit: bytes.
    package init(limit: Int) {
        self.limit = limit
    }

    package var heldBytes: Int { held.load(ordering: .relaxed) }

    package func lease() -> Lease {
        Lease(self)
    }

    /// What one request holds; given back at the latest when nobody holds the lease any more.
    package final class Lease: Sendable {
        private let budget: BodyBudget
        private let bytes = Atomic<Int>(0)

        fileprivate init(_ budget: BodyBudget) {
            self.budget = budget
        }

        deinit {
            budget.held.subtract(bytes.load(ordering: .relaxed), ordering: .relaxed)
        }

        /// - Throws: `Problem` 503 when the process holds too much already.
        package func take(_ count: Int) throws(Problem) {
            let held = budget.held.add(count, ordering: .relaxed).newValue
            bytes.add(count, ordering: .relaxed)
            guard held <= budget.limit else {
                throw Problem.unavailable(
                    retryAfter: 1, code: "overloaded", detail: "Too many bodies are being received at the moment.")
            }
        }
    }
}
