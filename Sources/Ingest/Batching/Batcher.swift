import ServiceLifecycle
import Shared
import Synchronization

/// Gathers what concurrent requests bring and writes it together, some lanes at a time. Each request is answered when its
/// group is committed, with its own outcome.
///
/// While one lane writes, what comes waits for it: two lanes at once would halve each other's groups, and a group's statements cost
/// much the same however many requests share them. But a group may be slow, or wait for a lock that is none of the others'
/// business: so after ``patience`` another lane takes what waits.
final class Batcher<Request: Sendable, Outcome: Sendable>: Service {
    /// Writes one group in one transaction; an outcome or an error for each request, in order.
    typealias Writer = @Sendable ([Request]) async -> [Result<Outcome, any Error>]

    fileprivate struct Entry {
        let request: Request
        let answer: CheckedContinuation<Outcome, any Error>
    }

    fileprivate struct State {
        var queue: GroupQueue<Entry>
        var idleLanes: [CheckedContinuation<Void, Never>] = []
        /// Lanes that write.
        var writing = 0
        /// An idle lane is waiting for its patience to end.
        var isOnePatient = false

        var isWorthTaking: Bool {
            !queue.isEmpty && (writing == 0 || queue.isGroupFull || queue.isClosed)
        }

        /// There is something to take, or something that somebody has to see to not waiting for long.
        var needsLane: Bool { isWorthTaking || (!queue.isEmpty && !isOnePatient) }

        mutating func laneToWake() -> CheckedContinuation<Void, Never>? {
            needsLane ? idleLanes.popLast() : nil
        }
    }

    /// What a lane does next.
    fileprivate enum Turn {
        case write([Entry])
        case bePatient
        case park
        case end
    }

    /// How long a request may wait for the groups before it while there are idle lanes: some times what a group takes.
    private static var patience: Duration { .milliseconds(5) }

    private let state: Mutex<State>
    private let lanes: Int
    private let write: Writer

    /// - Parameters:
    ///   - lanes: groups that may be written at the same time; each uses a connection.
    ///   - limits: the costs, in rows or bytes as the caller counts them, of a group and of all that waits.
    init(lanes: Int, limits: GroupQueue<Request>.Limits, write: @escaping Writer) {
        self.lanes = lanes
        self.write = write
        let limits = GroupQueue<Entry>.Limits(groupCost: limits.groupCost, queueCost: limits.queueCost)
        self.state = Mutex(State(queue: GroupQueue(limits: limits)))
    }

    /// What waits, in the measure of the limits.
    var waitingCost: Int {
        state.withLock { $0.queue.cost }
    }

    /// Returns once the request is committed.
    /// - Throws: `Problem` 503 when more waits than memory is set aside for, or what the writer answered.
    func submit(_ request: Request, cost: Int) async throws -> Outcome {
        try await withCheckedThrowingContinuation { answer in
            let (accepted, lane) = state.withLock { state in
                let accepted = state.queue.offer(Entry(request: request, answer: answer), cost: cost)
                return (accepted, state.laneToWake())
            }
            if !accepted {
                answer.resume(
                    throwing: Problem.unavailable(
                        retryAfter: 1, code: "overloaded", detail: "Too much waits to be written."))
            }
            lane?.resume()
        }
    }

    /// Runs the lanes until shutdown or cancellation, and then until everything that was accepted is answered.
    func run() async throws {
        await withTaskCancellationOrGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                for _ in 0..<lanes {
                    group.addTask { await self.runLane() }
                }
            }
        } onCancelOrGracefulShutdown: {
            self.close()
        }
    }

    private func close() {
        let idle = state.withLock { state in
            state.queue.close()
            defer { state.idleLanes = [] }
            return state.idleLanes
        }
        for lane in idle { lane.resume() }
    }

    private func runLane() async {
        var patienceHasEnded = false
        while true {
            let (turn, lane) = state.withLock { state in (state.turn(patienceHasEnded), state.laneToWake()) }
            lane?.resume()
            patienceHasEnded = false
            switch turn {
            case .write(let group): await writeAndAnswer(group)
            case .bePatient:
                // Woken early, by shutdown, it takes what there is.
                try? await Task.sleep(for: Self.patience)
                patienceHasEnded = true
            case .park: await park()
            case .end: return
            }
        }
    }

    private func writeAndAnswer(_ group: [Entry]) async {
        let outcomes = await write(group.map(\.request))
        precondition(outcomes.count == group.count, "a writer answers each request of its group")
        state.withLock { $0.writing -= 1 }
        for (entry, outcome) in zip(group, outcomes) {
            entry.answer.resume(with: outcome)
        }
    }

    /// Until there is something to do; what came since the lane looked is not missed.
    private func park() async {
        await withCheckedContinuation { lane in
            let isNeeded = state.withLock { state in
                guard !state.needsLane, !state.queue.isClosed else { return true }
                state.idleLanes.append(lane)
                return false
            }
            if isNeeded { lane.resume() }
        }
    }
}

extension Batcher.State {
    /// - Parameter patienceHasEnded: the lane was the patient one, and what waits has waited long enough.
    fileprivate mutating func turn(_ patienceHasEnded: Bool) -> Batcher.Turn {
        if patienceHasEnded { isOnePatient = false }
        if !queue.isEmpty, isWorthTaking || patienceHasEnded {
            writing += 1
            return .write(queue.take())
        }
        if queue.isEmpty { return queue.isClosed ? .end : .park }
        guard !isOnePatient else { return .park }
        isOnePatient = true
        return .bePatient
    }
}
