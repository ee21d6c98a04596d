import DequeModule
import Shared

/// What waits to be written, as a pure state machine: bounded by its cost, taken in groups by writer lanes. While one group commits,
/// the next gathers here; so groups grow with load by themselves.
///
/// Each tenant's requests keep their order. Among tenants a group is shared by deficit round robin (Shreedhar and Varghese, 1995), so
/// that who has a thousand requests waiting does not keep another's one from the next group.
struct GroupQueue<Request> {
    struct Limits {
        /// What a group may cost at most; one request that costs more goes alone.
        var groupCost: Int
        /// What may wait at most, in the same measure.
        var queueCost: Int
    }

    enum Offer {
        case taken
        /// What the tenant has waiting is as much as there is room left: the rest is for others. (Choudhury and Hahne, 1998: a
        /// tenant alone has half the queue, and with n of them there is always room for one more.)
        case beyondShare
        case full
    }

    private struct Waiting {
        let request: Request
        let cost: Int
        /// Among all that ever waited.
        let place: Int
    }

    /// What waits of one tenant, in order of arrival.
    private struct Share {
        var waiting: Deque<Waiting> = []
        var cost = 0
        /// What it may put into groups before others have their turn.
        var credit = 0
    }

    private let limits: Limits
    private var shares: [TenantID: Share] = [:]
    /// Tenants that have something waiting, next first.
    private var turns: Deque<TenantID> = []
    private(set) var cost = 0
    private(set) var isClosed = false
    private var offered = 0

    init(limits: Limits) {
        self.limits = limits
    }

    var isEmpty: Bool { turns.isEmpty }
    /// Who has waited for longest.
    var first: Int? {
        var first: Int?
        for share in shares.values {
            guard let place = share.waiting.first?.place else { continue }
            first = min(first ?? place, place)
        }
        return first
    }
    /// What waits makes a group already; more would go into another.
    var isGroupFull: Bool { cost >= limits.groupCost }

    /// A tenant's share of a group, at one turn; it may have several.
    private var quantum: Int { max(1, limits.groupCost / 16) }

    /// Takes a request in, or refuses it.
    mutating func offer(_ request: Request, of tenant: TenantID, cost: Int) -> Offer {
        guard !isClosed, isEmpty || self.cost + cost <= limits.queueCost else { return .full }
        var share = shares.removeValue(forKey: tenant) ?? Share()
        defer { shares[tenant] = share }
        if share.waiting.isEmpty {
            turns.append(tenant)
        } else if share.cost + cost > limits.queueCost - self.cost {
            return .beyondShare
        }
        share.waiting.append(Waiting(request: request, cost: cost, place: offered))
        share.cost += cost
        offered += 1
        self.cost += cost
        return .taken
    }

    /// The next group of those that may go, empty when there are none. It passes over no more than would make a group themselves, so
    /// that a long queue costs no long look.
    mutating func take(_ mayGo: (Request) -> Bool = { _ in true }) -> [Request] {
        var group = Group(limit: limits.groupCost)
        var passed: [TenantID: [Waiting]] = [:]
        while !group.isFull, let tenant = turns.first, var share = shares.removeValue(forKey: tenant) {
            let isAlone = turns.count == 1
            share.credit += quantum
            while let next = share.waiting.first, isAlone || next.cost <= share.credit, group.hasRoom(for: next.cost) {
                share.waiting.removeFirst()
                // Passing costs as well: else who has much that may not go would use up what the group looks at, turn after turn.
                share.credit = max(0, share.credit - next.cost)
                if mayGo(next.request) {
                    group.add(next.request, next.cost)
                    share.cost -= next.cost
                } else {
                    group.pass(next.cost)
                    passed[tenant, default: []].append(next)
                }
            }
            let goesOn = group.isFull && !group.hasPassedMuch // it has room in the next group, first of all
            if share.waiting.isEmpty || !goesOn { turns.removeFirst() }
            if !share.waiting.isEmpty, !goesOn { turns.append(tenant) }
            if !share.waiting.isEmpty || passed[tenant] != nil { shares[tenant] = share }
        }
        for (tenant, requests) in passed { putBack(requests, of: tenant) }
        cost -= group.cost
        return group.requests
    }

    private mutating func putBack(_ requests: [Waiting], of tenant: TenantID) {
        guard var share = shares.removeValue(forKey: tenant) else { return }
        if share.waiting.isEmpty { turns.append(tenant) }
        share.waiting.prepend(contentsOf: requests)
        shares[tenant] = share
    }

    /// Refuses what comes from now on; what waits is still taken.
    mutating func close() {
        isClosed = true
    }
}

extension GroupQueue {
    /// A group in the making.
    private struct Group {
        let limit: Int
        private(set) var requests: [Request] = []
        private(set) var cost = 0
        private var passedCost = 0
        private(set) var isFull = false

        init(limit: Int) {
            self.limit = limit
        }

        /// As much as a group: that is enough.
        var hasPassedMuch: Bool { passedCost >= limit }

        /// Once there is none, nothing more is looked at.
        mutating func hasRoom(for cost: Int) -> Bool {
            if hasPassedMuch || !requests.isEmpty && self.cost + cost > limit { isFull = true }
            return !isFull
        }

        mutating func add(_ request: Request, _ cost: Int) {
            requests.append(request)
            self.cost += cost
        }

        mutating func pass(_ cost: Int) {
            passedCost += cost
        }
    }
}
