import DequeModule

/// The pool's decisions, without clock, network or lock: each event returns what is to be done. Waiters are served
/// strictly in the order they came; idle connections are lent last in, first out, so that surplus ones grow old and
/// are closed.
struct PoolState {
    typealias ConnectionID = Int
    typealias WaiterID = Int
    typealias Instant = ContinuousClock.Instant

    enum Action: Equatable {
        /// `tryOut`: it was idle for long, see that it still answers.
        case lend(ConnectionID, to: WaiterID, tryOut: Bool)
        case refuse(WaiterID, Refusal)
        case connect(ConnectionID)
        case close(ConnectionID)
        /// After `shutDown`: nothing is open any more.
        case finished
    }

    enum Refusal: Equatable {
        case tooManyWaiters
        case timeout(connectFailed: Bool)
        case closed
    }

    struct Limits {
        var maxConnections: Int
        var maxWaiters: Int
        var acquireTimeout: Duration
        var idleTimeout: Duration
        var maxLifetime: Duration
        var tryOutAfter: Duration
        var backoff: Backoff
    }

    private struct Idle {
        let id: ConnectionID
        let since: Instant
    }

    private struct Waiter {
        let id: WaiterID
        let deadline: Instant
    }

    let limits: Limits
    private var idle: [Idle] = []
    private var born: [ConnectionID: Instant] = [:]
    private var lent: Set<ConnectionID> = []
    private var connecting: Set<ConnectionID> = []
    private var waiters: Deque<Waiter> = []
    private var failures = 0
    private var mayConnectAt: Instant?
    private var nextID = 0
    private var isClosed = false
    private var isFinished = false

    init(_ limits: Limits) {
        self.limits = limits
    }

    var counts: (idle: Int, lent: Int, connecting: Int, waiting: Int) {
        (idle.count, lent.count, connecting.count, waiters.count)
    }

    /// When `tick` is next worth calling.
    var nextDeadline: Instant? {
        guard !isClosed else { return nil }
        let oldest = idle.map(expiry(of:)).min()
        let retry = waiters.isEmpty ? nil : mayConnectAt
        return [waiters.first?.deadline, oldest, retry].compactMap { $0 }.min()
    }

    // MARK: Callers

    mutating func acquire(_ waiter: WaiterID, now: Instant) -> [Action] {
        if isClosed { return [.refuse(waiter, .closed)] }
        guard idle.isEmpty || !waiters.isEmpty else {
            let connection = idle.removeLast()
            return [lend(connection.id, to: waiter, idleFor: now - connection.since)]
        }
        guard waiters.count < limits.maxWaiters else { return [.refuse(waiter, .tooManyWaiters)] }
        waiters.append(Waiter(id: waiter, deadline: now + limits.acquireTimeout))
        return connectIfNeeded(now)
    }

    /// The caller went away. Nothing happens if it was served or refused already.
    mutating func abandon(_ waiter: WaiterID) -> Bool {
        guard let index = waiters.firstIndex(where: { $0.id == waiter }) else { return false }
        waiters.remove(at: index)
        return true
    }

    mutating func release(_ connection: ConnectionID, isUsable: Bool, now: Instant) -> [Action] {
        guard lent.remove(connection) != nil else { return [] }
        let isOld = born[connection].map { now - $0 >= limits.maxLifetime } ?? true
        guard isUsable, !isOld, !isClosed else {
            born[connection] = nil
            return [.close(connection)] + connectIfNeeded(now) + finishIfEmpty()
        }
        return offer(connection, now)
    }

    // MARK: Connections

    mutating func connected(_ connection: ConnectionID, now: Instant) -> [Action] {
        guard connecting.remove(connection) != nil else { return [.close(connection)] }
        if isClosed { return [.close(connection)] + finishIfEmpty() }
        (failures, mayConnectAt) = (0, nil)
        born[connection] = now
        return offer(connection, now) + connectIfNeeded(now)
    }

    mutating func connectFailed(_ connection: ConnectionID, now: Instant, jitter: Double) -> [Action] {
        guard connecting.remove(connection) != nil else { return [] }
        if isClosed { return finishIfEmpty() }
        failures += 1
        mayConnectAt = now + limits.backoff.delay(afterFailures: failures, jitter: jitter)
        return []
    }

    /// An idle connection turned out to be dead. Lent ones tell when they come back.
    mutating func lost(_ connection: ConnectionID) -> [Action] {
        guard let index = idle.firstIndex(where: { $0.id == connection }) else { return [] }
        idle.remove(at: index)
        born[connection] = nil
        return [.close(connection)]
    }

    // MARK: Time and end

    mutating func tick(now: Instant) -> [Action] {
        guard !isClosed else { return [] }
        var actions: [Action] = []
        while let waiter = waiters.first, waiter.deadline <= now {
            waiters.removeFirst()
            actions.append(.refuse(waiter.id, .timeout(connectFailed: failures > 0 && born.isEmpty)))
        }
        for old in idle where expiry(of: old) <= now {
            born[old.id] = nil
            actions.append(.close(old.id))
        }
        idle.removeAll { born[$0.id] == nil }
        return actions + connectIfNeeded(now)
    }

    /// Refuses who waits and closes what is idle; `finished` follows when the last lent connection is back.
    mutating func shutDown() -> [Action] {
        guard !isClosed else { return [] }
        isClosed = true
        let actions =
            waiters.map { Action.refuse($0.id, .closed) } + idle.map { Action.close($0.id) }
        waiters = []
        idle = []
        return actions + finishIfEmpty()
    }

    // MARK: Steps

    private mutating func lend(_ connection: ConnectionID, to waiter: WaiterID, idleFor: Duration) -> Action {
        lent.insert(connection)
        return .lend(connection, to: waiter, tryOut: idleFor >= limits.tryOutAfter)
    }

    private mutating func offer(_ connection: ConnectionID, _ now: Instant) -> [Action] {
        if let waiter = waiters.popFirst() { return [lend(connection, to: waiter.id, idleFor: .zero)] }
        idle.append(Idle(id: connection, since: now))
        return []
    }

    /// As many connections as there are waiters; after a failure one at a time, when the back-off is over.
    private mutating func connectIfNeeded(_ now: Instant) -> [Action] {
        if let mayConnectAt, now < mayConnectAt { return [] }
        let room = limits.maxConnections - lent.count - idle.count - connecting.count
        let wanted = waiters.count - connecting.count
        let count = failures > 0 ? min(room, wanted, 1 - connecting.count) : min(room, wanted)
        guard count > 0 else { return [] }
        mayConnectAt = nil
        return (0..<count).map { _ in
            nextID += 1
            connecting.insert(nextID)
            return .connect(nextID)
        }
    }

    private func expiry(of connection: Idle) -> Instant {
        let unused = connection.since + limits.idleTimeout
        return born[connection.id].map { min(unused, $0 + limits.maxLifetime) } ?? unused
    }

    private mutating func finishIfEmpty() -> [Action] {
        guard isClosed, !isFinished, lent.isEmpty, connecting.isEmpty else { return [] }
        isFinished = true
        return [.finished]
    }
}
