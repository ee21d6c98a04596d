import DequeModule

/// What waits to be written, as a pure state machine: requests in order of arrival, bounded by their cost, taken in
/// groups by writer lanes. While one group commits, the next gathers here; so groups grow with load by themselves.
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
        /// Among all that ever waited.
        let place: Int
    }

    private let limits: Limits
    private var waiting: Deque<Waiting> = []
    private(set) var cost = 0
    private(set) var isClosed = false
    private var offered = 0

    init(limits: Limits) {
        self.limits = limits
    }

    var isEmpty: Bool { waiting.isEmpty }
    /// Who has waited for longest.
    var first: Int? { waiting.first?.place }
    /// What waits makes a group already; more would go into another.
    var isGroupFull: Bool { cost >= limits.groupCost }

    /// Takes a request in, or refuses it: the queue is full, or closed.
    mutating func offer(_ request: Request, cost: Int) -> Bool {
        guard !isClosed, waiting.isEmpty || self.cost + cost <= limits.queueCost else { return false }
        waiting.append(Waiting(request: request, cost: cost, place: offered))
        offered += 1
        self.cost += cost
        return true
    }

    /// The next group of those that may go, empty when there are none. It passes over no more than would make a group themselves, so
    /// that a long queue costs no long look.
    mutating func take(_ mayGo: (Request) -> Bool = { _ in true }) -> [Request] {
        var group: [Request] = []
        var groupCost = 0
        var staying: [Waiting] = []
        var stayingCost = 0
        while stayingCost < limits.groupCost, let next = waiting.first,
            group.isEmpty || groupCost + next.cost <= limits.groupCost
        {
            waiting.removeFirst()
            guard mayGo(next.request) else {
                staying.append(next)
                stayingCost += next.cost
                continue
            }
            group.append(next.request)
            groupCost += next.cost
        }
        waiting.prepend(contentsOf: staying)
        cost -= groupCost
        return group
    }

    /// Refuses what comes from now on; what waits is still taken.
    mutating func close() {
        isClosed = true
    }
}
