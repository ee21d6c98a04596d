import Logging
import ServiceLifecycle
import Shared

/// Writes and sends letters behind the answers to the requests that ask for them: nobody waits for the mail, and nobody can tell by an
/// answer's time whether there was one.
///
/// What waits is in memory alone, since tokens must not lie in the database: with the process it is lost, and the person asks again.
final class Postman: Service, CustomStringConvertible {
    /// Writes a letter; nil where there is none to send.
    typealias Errand = @Sendable () async throws -> Letter?

    /// Letters that may wait.
    static let capacity = 1_000
    /// Errands at once.
    private static let hands = 4

    /// Whether anything is sent at all.
    let delivers: Bool
    private let notifier: (any Notifier)?
    private let pauses: [Duration]
    private let errands: AsyncStream<Errand>
    private let queue: AsyncStream<Errand>.Continuation
    private let logger: Logger
    private let sent, lost: Counter

    /// - Parameters:
    ///   - notifier: nil where no mail is set up.
    ///   - pauses: before each further attempt with a letter that was not taken.
    init(
        _ notifier: (any Notifier)?, pauses: [Duration] = [1, 5, 15, 60].map { .seconds($0) }, metrics: MetricRegistry,
        logger: Logger
    ) {
        delivers = notifier != nil
        self.notifier = notifier
        self.pauses = pauses
        self.logger = logger
        (errands, queue) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.capacity))
        let counter = {
            metrics.counter("pulsegate_letters_total", help: "Mail, by outcome.", labels: [("outcome", $0)])
        }
        (sent, lost) = (counter("sent"), counter("lost"))
    }

    /// - Throws: `Problem` 503 when too many wait already.
    func take(_ errand: @escaping Errand) throws {
        guard case .enqueued = queue.yield(errand) else {
            throw Problem.unavailable(retryAfter: 30, detail: "Too much mail waits to be sent.")
        }
    }

    func run() async throws {
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                let hands = AsyncStream.makeStream(of: Void.self)
                for _ in 0..<Self.hands { hands.continuation.yield() }
                var free = hands.stream.makeAsyncIterator()
                for await errand in errands {
                    guard await free.next() != nil else { return } // cancelled
                    group.addTask {
                        await self.carryOut(errand)
                        hands.continuation.yield()
                    }
                }
            }
        } onGracefulShutdown: {
            self.queue.finish() // what waits is still done
        }
    }

    private func carryOut(_ errand: Errand) async {
        do {
            guard let letter = try await errand() else { return }
            guard let notifier else {
                lost.increment()
                return logger.warning(
                    "no mail is set up, so a letter is not sent", metadata: ["letter": "\(letter.id)"])
            }
            try await deliver(letter, by: notifier)
            sent.increment()
        } catch {
            lost.increment()
            logger.error("a letter was not sent", metadata: ["reason": "\(error)"])
        }
    }

    private func deliver(_ letter: Letter, by notifier: any Notifier) async throws {
        for pause in pauses {
            do {
                return try await notifier.send(letter)
            } catch let error as NotTakenNow {
                logger.warning(
                    "a letter was not taken yet", metadata: ["letter": "\(letter.id)", "reason": "\(error.reason)"])
                try await Task.sleep(for: pause)
            }
        }
        try await notifier.send(letter)
    }

    /// Service groups log their services.
    var description: String { "Postman" }
}
