import Synchronization

/// How many bytes of request bodies a process holds at once, over all connections: taken while a body is read, given back when its
/// request is answered. Beyond it: 503, never an out-of-memory kill. A tenant may hold as much as there is left: alone half of it,
/// with n others less, so that there is always room for one more.
package final class BodyBudget: Sendable {
    /// What one tenant holds.
    fileprivate final class Share: Sendable {
        let held = Atomic<Int>(0)
    }

    private let limit: Int
    private let held = Atomic<Int>(0)
    /// One for each tenant heard of since the start.
    private let shares = Mutex<[TenantID: Share]>([:])

    /// - Parameter limit: bytes.
    package init(limit: Int) {
        self.limit = limit
    }

    package var heldBytes: Int { held.load(ordering: .relaxed) }

    /// - Parameter tenant: nil for those whom nobody knows, who share with each other.
    package func lease(of tenant: TenantID?) -> Lease {
        Lease(self, tenant.map(share))
    }

    private func share(of tenant: TenantID) -> Share {
        shares.withLock { shares in
            if let share = shares[tenant] { return share }
            let share = Share()
            shares[tenant] = share
            return share
        }
    }

    /// What one request holds; given back at the latest when nobody holds the lease any more.
    package final class Lease: Sendable {
        private let budget: BodyBudget
        private let share: Share?
        private let bytes = Atomic<Int>(0)

        fileprivate init(_ budget: BodyBudget, _ share: Share?) {
            (self.budget, self.share) = (budget, share)
        }

        deinit {
            let bytes = bytes.load(ordering: .relaxed)
            budget.held.subtract(bytes, ordering: .relaxed)
            share?.held.subtract(bytes, ordering: .relaxed)
        }

        /// - Throws: `Problem` 503 when the process holds too much already, 429 when it is the tenant that does.
        package func take(_ count: Int) throws(Problem) {
            let all = budget.held.add(count, ordering: .relaxed).newValue
            let own = share?.held.add(count, ordering: .relaxed).newValue ?? 0
            bytes.add(count, ordering: .relaxed)
            guard all <= budget.limit else {
                throw Problem.unavailable(
                    retryAfter: 1, code: "overloaded", detail: "Too many bodies are being received at the moment.")
            }
            guard own <= budget.limit - all else {
                throw Problem.beyondShare(detail: "Too many bodies of yours are being received at the moment.")
            }
        }
    }
}
