import DequeModule

/// What waits to be written, as a pure state machine: requests in order of arrival, bounded by their cost, taken in
/// groups by writer lanes. While one group commits, the next gathers here; so groups grow with load by themselves and no
/// request waits for a clock. Another lane joins in once a group has gathered that is worth its statements: as many
/// requests as the groups that are being written have on the average.
struct GroupQueue<Request> {
    struct Limits {
        /// What a group may cost at most; one request that costs more goes alone.
        var groupCost: Int
        /// What may wait at most, in the same measure.
        var queueCost: Int
    }

    private struct Waiting {
        let request: Request
        let cost: Int
    }

    private let limits: Limits
    private var waiting: Deque<Waiting> = []
    private(set) var cost = 0
    private(set) var isClosed = false
    /// Taken and not yet finished.
    private var (groups, requests) = (0, 0)

    init(limits: Limits) {
        self.limits = limits
    }

    var count: Int { waiting.count }
    var isEmpty: Bool { waiting.isEmpty }

    /// Takes a request in, or refuses it: the queue is full, or closed.
    mutating func offer(_ request: Request, cost: Int) -> Bool {
        guard !isClosed, waiting.isEmpty || self.cost + cost <= limits.queueCost else { return false }
        waiting.append(Waiting(request: request, cost: cost))
        self.cost += cost
        return true
    }

    /// Whether a lane that is idle should take a group now. When one should not, a group is being written whose lane will.
    var isWorthTaking: Bool {
        guard !waiting.isEmpty else { return false }
        return isClosed || cost >= limits.groupCost || waiting.count * groups >= requests
    }

    /// The next group; empty unless it is worth taking. Each that isn't empty is to be told ``finish(_:)``.
    mutating func take() -> [Request] {
        guard isWorthTaking else { return [] }
        var group: [Request] = []
        var groupCost = 0
        while let next = waiting.first, group.isEmpty || groupCost + next.cost <= limits.groupCost {
            waiting.removeFirst()
            group.append(next.request)
            groupCost += next.cost
        }
        cost -= groupCost
        groups += 1
        requests += group.count
        return group
    }

    /// - Parameter count: the requests of a group that was taken.
    mutating func finish(_ count: Int) {
        groups -= 1
        requests -= count
    }

    /// Refuses what comes from now on; what waits is still taken.
    mutating func close() {
        isClosed = true
    }
}
