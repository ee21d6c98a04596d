import DequeModule
import ServiceLifecycle
import Shared
import Synchronization

/// What can be written together with others.
protocol Groupable: Sendable {
    /// Whose it is: when there is too much for one group, tenants take turns.
    var tenantID: TenantID { get }
    /// In rows or bytes, as the batcher's limits count.
    var cost: Int { get }
    /// What writing it locks, by numbers of the request's kind: requests that have one in common are not written at the same time,
    /// and keep their order.
    var locks: [Int64] { get }
}

/// Gathers what concurrent requests bring and writes it together. Each request is answered when its group is committed, with its
/// own outcome.
///
/// While one lane writes, what comes waits for it: two lanes at once would halve each other's groups, and a group's statements cost
/// much the same however many requests share them. But a group may be slow, or wait for a lock that is none of the others'
/// business: so after ``patience`` another lane takes what waits, except for what would wait for the very same locks.
final class Batcher<Request: Groupable, Outcome: Sendable>: Service {
    /// Writes one group in one transaction; an outcome or an error for each request, in order.
    typealias Writer = @Sendable ([Request]) async -> [Result<Outcome, any Error>]

    fileprivate struct Entry {
        let request: Request
        let locks: [Int64]
        let answer: Answer
    }

    fileprivate typealias Answer = OneAnswer<Outcome, any Error>

    /// What a lane does next.
    fileprivate enum Turn {
        case write([Entry])
        case park
        case end
    }

    /// How long a request may wait for the groups before it while there are idle lanes, or up to twice as long: some times what
    /// a group takes.
    private static var patience: Duration { .milliseconds(5) }

    private let state: Mutex<State>
    private let lanes: Int
    private let deadline: Duration?
    /// In order of arrival, for as long as the deadline.
    private let due = Mutex(Deque<(at: ContinuousClock.Instant, answer: Answer)>())
    private let write: Writer

    /// - Parameters:
    ///   - lanes: groups that may be written at the same time; each uses a connection.
    ///   - limits: the costs of a group and of all that waits.
    ///   - deadline: how long an urgent request waits for its answer, or a quarter longer; it is written all the same.
    init(
        lanes: Int, limits: GroupQueue<Request>.Limits, deadline: Duration? = nil, write: @escaping Writer
    ) {
        self.lanes = lanes
        self.deadline = deadline
        self.write = write
        let limits = GroupQueue<Entry>.Limits(groupCost: limits.groupCost, queueCost: limits.queueCost)
        self.state = Mutex(State(queue: GroupQueue(limits: limits)))
    }

    /// What waits, in the measure of the limits.
    var waitingCost: Int {
        state.withLock { $0.queue.cost }
    }

    /// Returns once the request is committed. It has its place in the queue before this suspends: who submits one request after the
    /// other on tasks that start at once keeps their order.
    /// - Parameter isUrgent: somebody waits for the answer, no longer than the deadline.
    /// - Throws: `Problem` 503 when more waits than memory is set aside for, 429 when it is the tenant's own; ``Overdue``; or
    ///   what the writer answered.
    func submit(_ request: Request, isUrgent: Bool = true) async throws -> Outcome {
        let locks = request.locks
        return try await withCheckedThrowingContinuation { waiting in
            let answer = Answer(waiting)
            if isUrgent, let deadline { due.withLock { $0.append((.now + deadline, answer)) } }
            let (offer, lane, watch) = state.withLock { state in
                let entry = Entry(request: request, locks: locks, answer: answer)
                let offer = state.queue.offer(entry, of: request.tenantID, cost: request.cost)
                return (offer, state.laneToWake(), state.watchToWake())
            }
            switch offer {
            case .taken: break
            case .beyondShare: answer.give(.failure(Problem.beyondShare(detail: "Too much of yours waits already.")))
            case .full:
                answer.give(
                    .failure(
                        Problem.unavailable(
                            retryAfter: 1, code: "overloaded", detail: "Too much waits to be written.")))
            }
            lane?.resume()
            watch?.resume()
        }
    }

    /// Runs the lanes until shutdown or cancellation, and then until everything that was accepted is answered.
    // Called through `any Service`, so the compiler can't see what to specialize the lanes for.
    @specialized(where Request == MetricRecord, Outcome == MetricOutcome)
    @specialized(where Request == UplinkSubmission, Outcome == [UplinkOutcome])
    func run() async throws {
        await withTaskCancellationOrGracefulShutdownHandler {
            await withTaskGroup { group in
                for _ in 0..<lanes {
                    group.addTask { await self.runLane() }
                }
                group.addTask { await self.watch() }
                let deadlines = Task { await self.keepDeadlines() }
                await group.waitForAll()
                deadlines.cancel()
            }
        } onCancelOrGracefulShutdown: {
            let parked = self.state.withLock { $0.close() }
            for task in parked { task.resume() }
        }
    }

    private func runLane() async {
        await withDiscardingTaskGroup { answering in
            while true {
                let (turn, other) = state.withLock { state in (state.turn(), state.laneToWake()) }
                other?.resume()
                switch turn {
                case .write(let group):
                    let outcomes = await write(group.map(\.request))
                    precondition(outcomes.count == group.count, "a writer answers each request of its group")
                    state.withLock { $0.end(group) }
                    // Meanwhile the next group is on its way.
                    answering.addTask { Self.answer(group, outcomes) }
                case .park: await park { $0.parkLane($1) }
                case .end: return
                }
            }
        }
    }

    private static func answer(_ group: [Entry], _ outcomes: [Result<Outcome, any Error>]) {
        for (entry, outcome) in zip(group, outcomes) { entry.answer.give(outcome) }
    }

    /// Tells those whose time is over; most have their answer by then.
    private func keepDeadlines() async {
        guard let deadline else { return }
        while (try? await Task.sleep(for: deadline / 4)) != nil { // cancelled when everything is answered
            let now = ContinuousClock.now
            let overdue = due.withLock { due in
                let count = due.firstIndex { $0.at > now } ?? due.count
                defer { due.removeFirst(count) }
                return Array(due.prefix(count))
            }
            for one in overdue { one.answer.give(.failure(Overdue())) }
        }
    }

    /// Sends an idle lane for what waits when it has waited for ``patience``.
    private func watch() async {
        while true {
            let (first, isClosed) = state.withLock { ($0.queue.first, $0.queue.isClosed) }
            if isClosed { return }
            guard let first else {
                await park { $0.parkWatch($1) }
                continue
            }
            try? await Task.sleep(for: Self.patience) // cancelled, it soon finds the queue closed
            let lane = state.withLock { state in
                state.look(isOverdue: state.queue.first == first)
                return state.laneToWake()
            }
            lane?.resume()
        }
    }

    /// Until there is something to do; what came since the task looked is not missed.
    private func park(_ wait: (inout State, CheckedContinuation<Void, Never>) -> Bool) async {
        await withCheckedContinuation { task in
            if !state.withLock({ wait(&$0, task) }) { task.resume() }
        }
    }
}

extension Batcher {
    /// Who waits, who writes, and who is to be woken.
    fileprivate struct State {
        typealias Parked = CheckedContinuation<Void, Never>

        var queue: GroupQueue<Entry>
        /// Lanes that write.
        private var writing = 0
        /// What their groups lock.
        private var locked: Set<Int64> = []
        /// What waits has waited for long enough.
        private var isOverdue = false
        /// All that waits was seen to wait for what is locked.
        private var isHelpVain = false
        private var idleLanes: [Parked] = []
        private var idleWatch: Parked?
        /// A lane was woken and has not looked yet: another would find nothing.
        private var isLaneComing = false

        init(queue: GroupQueue<Entry>) {
            self.queue = queue
        }

        private var isWorthTaking: Bool {
            if queue.isEmpty { return false }
            return writing == 0 || !isHelpVain && (isOverdue || queue.isGroupFull || queue.isClosed)
        }

        mutating func turn() -> Turn {
            isLaneComing = false
            // Closed, what is left is the others'.
            guard isWorthTaking else { return queue.isClosed ? .end : .park }
            isOverdue = false
            var kept = locked // by groups that are being written, and by what has to go before
            let group = queue.take { entry in
                if kept.isDisjoint(with: entry.locks) { return true }
                kept.formUnion(entry.locks)
                return false
            }
            guard !group.isEmpty else {
                isHelpVain = true
                return queue.isClosed ? .end : .park
            }
            writing += 1
            for entry in group { locked.formUnion(entry.locks) }
            return .write(group)
        }

        mutating func end(_ group: [Entry]) {
            writing -= 1
            for entry in group { locked.subtract(entry.locks) }
            isHelpVain = false
        }

        mutating func look(isOverdue: Bool) {
            self.isOverdue = isOverdue
            isHelpVain = false
        }

        mutating func laneToWake() -> Parked? {
            guard isWorthTaking, !isLaneComing, let lane = idleLanes.popLast() else { return nil }
            isLaneComing = true
            return lane
        }

        mutating func watchToWake() -> Parked? {
            defer { idleWatch = nil }
            return idleWatch
        }

        /// - Returns: false where there is something to do instead.
        mutating func parkLane(_ lane: Parked) -> Bool {
            guard !isWorthTaking, !queue.isClosed else { return false }
            idleLanes.append(lane)
            return true
        }

        mutating func parkWatch(_ watch: Parked) -> Bool {
            guard queue.isEmpty, !queue.isClosed else { return false }
            idleWatch = watch
            return true
        }

        /// - Returns: all that are parked, to see that no more comes.
        mutating func close() -> [Parked] {
            queue.close()
            defer { idleLanes = [] }
            return idleLanes + [watchToWake()].compactMap(\.self)
        }
    }
}
