import Logging
import ServiceLifecycle

/// Tells the service manager when the process is ready, that it is alive, and when it begins to stop. Put it after everything
/// that serves, since what started last is stopped first.
package struct ServiceManagerNotices: Service, CustomStringConvertible {
    private let manager: ServiceManager?
    private let checks: [ReadinessCheck]
    private let isAlive: @Sendable () async -> Void
    private let logger: Logger

    /// - Parameters:
    ///   - manager: nil when there is nobody to tell.
    ///   - checks: all that `/ready` asks.
    ///   - isAlive: returns as long as the process does its work; when it does not, the watchdog hears nothing.
    package init(
        _ manager: ServiceManager?, checks: [ReadinessCheck], isAlive: @escaping @Sendable () async -> Void,
        logger: Logger
    ) {
        self.manager = manager
        self.checks = checks
        self.isAlive = isAlive
        self.logger = logger
    }

    package func run() async throws {
        guard let manager else { return try await gracefulShutdown() }
        await withTaskGroup { group in
            group.addTask { try? await becomeReady(manager) }
            if let interval = manager.watchdogInterval { group.addTask { try? await stayAlive(manager, interval) } }
            try? await gracefulShutdown()
            group.cancelAll()
        }
        tell(manager, "STOPPING=1")
    }

    private func becomeReady(_ manager: ServiceManager) async throws {
        while await !ReadinessCheck.failing(checks).isEmpty { try await Task.sleep(for: .milliseconds(100)) }
        try Task.checkCancellation()
        tell(manager, "READY=1")
    }

    /// Twice as often as it has to be, as sd_watchdog_enabled(3) advises.
    private func stayAlive(_ manager: ServiceManager, _ interval: Duration) async throws {
        while !Task.isCancelled {
            await isAlive()
            manager.tell("WATCHDOG=1")
            try await Task.sleep(for: interval / 2)
        }
    }

    private func tell(_ manager: ServiceManager, _ state: String) {
        guard !manager.tell(state) else { return }
        logger.warning("the service manager can't be told", metadata: ["state": "\(state)"])
    }

    /// Service groups log their services.
    package var description: String { "ServiceManagerNotices" }
}
