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
        /// Only then anybody asks: connecting may take as long as the name's resolution does.
        var isOpen = false
        var isClosed = false
    }

    /// Where questions lie until the thread takes them.
    private final class Desk: Sendable {
        private let state = Mutex(State())
        private let available = DispatchSemaphore(value: 0)

        var isOpen: Bool { state.withLock { $0.isOpen } }

        /// - Returns: false where nobody is to wait for an answer.
        func put(_ question: Question) -> Bool {
            let isTaken = state.withLock { state -> Bool in
                guard state.isOpen, state.questions.count < RedisBuckets.capacity else { return false }
                state.questions.append(question)
                return true
            }
            if isTaken { available.signal() }
            return isTaken
        }

        func open() {
            state.withLock { $0.isOpen = true }
        }

        /// Waits for questions; nil once closed.
        func next() -> [Question]? {
            available.wait()
            return state.withLock { state -> [Question]? in
                defer { state.questions.removeAll() }
                return state.isClosed && state.questions.isEmpty ? nil : state.questions
            }
        }

        /// Redis has just failed to answer.
        /// - Returns: who asked meanwhile.
        func shut() -> [Question] {
            state.withLock { state -> [Question] in
                state.isOpen = false
                defer { state.questions.removeAll() }
                return state.questions
            }
        }

        /// - Returns: whether it was closed for good meanwhile.
        func rest() -> Bool {
            let end = DispatchTime.now() + .milliseconds(RedisBuckets.respite)
            while !state.withLock({ $0.isClosed }), DispatchTime.now() < end { _ = available.wait(timeout: end) }
            return state.withLock { $0.isClosed }
        }

        func close() {
            state.withLock { $0.isClosed = true }
            available.signal()
        }
    }

    /// Questions that may wait; who comes later is not kept waiting.
    private static let capacity = 4_096
    /// Milliseconds after a failure, before it is tried again.
    private static let respite = 1_000

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
            repeat {
                var questions: [Question] = []
                do {
                    let client = try RedisClient(address)
                    desk.open()
                    while let next = desk.next() {
                        questions = next
                        let verdicts = try client.take(questions.map(\.limits), scope: scope)
                        asked.increment(by: questions.count)
                        for (question, verdict) in zip(questions, verdicts) {
                            question.continuation.resume(returning: verdict)
                        }
                        questions = []
                    }
                    return // closed
                } catch {
                    logger.warning(
                        "Redis does not answer; limits are this process's own", metadata: ["reason": "\(error)"])
                    questions += desk.shut()
                    failed.increment(by: questions.count)
                    for question in questions { question.continuation.resume(returning: nil) }
                }
            } while !desk.rest()
        }
        thread.name = "redis"
        thread.start()
    }

    /// Whether Redis is asked at the moment.
    var isOpen: Bool { desk.isOpen }

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
