import Logging
import ServiceLifecycle

/// Begins a piece of upkeep now and at each interval, until shutdown begins; what takes longer than the interval begins again at
/// once, so that upkeep which falls behind has all the time there is. One that fails is logged and tried again at the next
/// turn: upkeep is never worth a process's life.
package func repeatUntilShutdown(
    every interval: Duration, logger: Logger, _ work: @escaping @Sendable () async throws -> Void
) async {
    await cancelWhenGracefulShutdown {
        while !Task.isCancelled {
            let next = ContinuousClock.now + interval
            do {
                try await work()
            } catch is CancellationError {
                return
            } catch {
                if !Task.isCancelled { logger.warning("upkeep failed", metadata: ["reason": "\(error)"]) }
            }
            // Only a cancellation ends it early, which the loop's condition sees.
            try? await Task.sleep(until: next, clock: .continuous)
        }
    }
}
