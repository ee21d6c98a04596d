import Dispatch
import Foundation
import Logging
import Synchronization

/// Token buckets in Redis. One thread holds one connection; what many ask at once travels together and is decided by one atomic script each.
package final class RedisBuckets: Sendable {
    struct Verdict: Sendable {
        /// Nil: a token of each was taken.
        let excess: RateExcess?
    }

    private struct Question: Sendable {
        let limits: [RateLimit]
        let continuation: CheckedContinuation<Verdict?, Never>
    }

    private struct State {
        var questions: [Question] = []
        var isClosed = false
        /// Redis did not answer: until then nobody asks it.
        var awayUntil: ContinuousClock.Instant?
    }

    /// Where questions lie until the thread takes them.
    private final class Desk: Sendable {
        private let state = Mutex(State())
        private let available = DispatchSemaphore(value: 0)

        /// - Returns: false where nobody is to wait for an answer.
        func put(_ question: Question) -> Bool {
            let isTaken = state.withLock { state -> Bool in
                if let awayUntil = state.awayUntil, awayUntil > .now { return false }
                guard state.questions.count < RedisBuckets.capacity else { return false }
                state.awayUntil = nil
                state.questions.append(question)
                return true
            }
            if isTaken { available.signal() }
            return isTaken
        }

        /// Waits for questions; nil once closed.
        func next() -> [Question]? {
            available.wait()
            return state.withLock { state -> [Question]? in
                defer { state.questions.removeAll() }
                return state.isClosed && state.questions.isEmpty ? nil : state.questions
            }
        }

        /// Those who came since, when Redis has just failed to answer.
        func clear() -> [Question] {
            state.withLock { state -> [Question] in
                state.awayUntil = .now + RedisBuckets.respite
                defer { state.questions.removeAll() }
                return state.questions
            }
        }

        func close() {
            state.withLock { $0.isClosed = true }
            available.signal()
        }
    }

    /// Questions that may wait; who comes later is not kept waiting.
    private static let capacity = 4_096
    /// After a failure, before it is asked again.
    private static let respite = Duration.seconds(1)

    private let desk = Desk()
    private let asked, failed: Counter

    /// - Parameter scope: parts the buckets of ingest from those of query.
    package init(_ address: RedisAddress, scope: String, metrics: MetricRegistry, logger: Logger) {
        let counter = {
            metrics.counter(
                "pulsegate_shared_rate_limits_total", help: "Rate limits to be decided by Redis, by who decided them.",
                labels: [("by", $0)])
        }
        let (asked, failed) = (counter("redis"), counter("process"))
        (self.asked, self.failed) = (asked, failed)
        let thread = Thread { [desk] in
            var client: RedisClient?
            while let questions = desk.next() {
                guard !questions.isEmpty else { continue }
                do {
                    let open = try client ?? RedisClient(address)
                    client = open
                    let verdicts = try open.take(questions.map(\.limits), scope: scope)
                    asked.increment(by: questions.count)
                    for (question, verdict) in zip(questions, verdicts) {
                        question.continuation.resume(returning: verdict)
                    }
                } catch {
                    client = nil
                    logger.warning(
                        "Redis does not answer; limits are this process's own", metadata: ["reason": "\(error)"])
                    let all = questions + desk.clear()
                    failed.increment(by: all.count)
                    for question in all { question.continuation.resume(returning: nil) }
                }
            }
        }
        thread.name = "redis"
        thread.start()
    }

    deinit {
        desk.close()
    }

    /// - Returns: nil where Redis can't be asked.
    func take(_ limits: [RateLimit]) async -> Verdict? {
        await withCheckedContinuation { continuation in
            guard !desk.put(Question(limits: limits, continuation: continuation)) else { return }
            failed.increment()
            continuation.resume(returning: nil)
        }
    }
}
