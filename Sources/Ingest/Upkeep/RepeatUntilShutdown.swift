import Logging
import ServiceLifecycle

/// Does a piece of upkeep now and after each interval, until shutdown begins. One that fails is logged and tried again at the
/// next turn: upkeep is never worth a process's life.
func repeatUntilShutdown(
    every interval: Duration, logger: Logger, _ work: @escaping @Sendable () async throws -> Void
) async {
    await cancelWhenGracefulShutdown {
        while !Task.isCancelled {
            do {
                try await work()
            } catch is CancellationError {
                return
            } catch {
                if !Task.isCancelled { logger.warning("upkeep failed", metadata: ["reason": "\(error)"]) }
            }
            try? await Task.sleep(for: interval) // only a cancellation ends it early, which the loop's condition sees
        }
    }
}
