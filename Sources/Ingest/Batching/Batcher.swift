import ServiceLifecycle
import Shared
import Synchronization

/// Gathers what concurrent requests bring and writes it together, some lanes at a time. Each request is answered when its
/// group is committed, with its own outcome.
final class Batcher<Request: Sendable, Outcome: Sendable>: Service {
    /// Writes one group in one transaction; an outcome or an error for each request, in order.
    typealias Writer = @Sendable ([Request]) async -> [Result<Outcome, any Error>]

    private struct Entry {
        let request: Request
        let answer: CheckedContinuation<Outcome, any Error>
    }

    private struct State {
        var queue: GroupQueue<Entry>
        var idleLanes: [CheckedContinuation<Void, Never>] = []

        mutating func laneToWake() -> CheckedContinuation<Void, Never>? {
            queue.isWorthTaking ? idleLanes.popLast() : nil
        }
    }

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
        while let group = await nextGroup() {
            let outcomes = await write(group.map(\.request))
            precondition(outcomes.count == group.count, "a writer answers each request of its group")
            state.withLock { $0.queue.finish(group.count) }
            for (entry, outcome) in zip(group, outcomes) {
                entry.answer.resume(with: outcome)
            }
        }
    }

    /// Waits for something to write; nil when the queue is closed and empty.
    private func nextGroup() async -> [Entry]? {
        while true {
            let (group, closed, lane) = state.withLock { state in
                (state.queue.take(), state.queue.isClosed, state.laneToWake())
            }
            lane?.resume()
            if !group.isEmpty { return group }
            if closed { return nil }
            await withCheckedContinuation { lane in
                let goOn = state.withLock { state in
                    if !state.queue.isWorthTaking && !state.queue.isClosed {
                        state.idleLanes.append(lane)
                        return false
                    }
                    return true
                }
                if goOn { lane.resume() }
            }
        }
    }
}
