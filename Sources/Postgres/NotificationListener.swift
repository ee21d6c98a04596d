import Logging

/// Follows channels on a connection of its own, and connects again, with back-off, whenever that breaks.
package struct NotificationListener: Sendable {
    package typealias Handler = @Sendable (Notification) async -> Void

    private let configuration: ConnectionConfiguration
    private let channels: [String]
    private let logger: Logger
    private let onNotification: Handler
    private let onReconnect: @Sendable () async -> Void
    private let backoff = Backoff()
    /// An idle connection over a dead network looks healthy until something is sent.
    private let heartbeat: Duration

    /// - Parameters:
    ///   - heartbeat: how often the connection is tried out.
    ///   - onReconnect: called each time listening has begun, the first time included. What was sent before is lost, so
    ///     whatever was cached on its account has to be dropped.
    package init(
        _ configuration: ConnectionConfiguration, channels: [String], logger: Logger = Logger(label: "postgres"),
        heartbeat: Duration = .seconds(30), onReconnect: @escaping @Sendable () async -> Void = {},
        onNotification: @escaping Handler
    ) {
        self.configuration = configuration
        self.channels = channels
        self.logger = logger
        self.heartbeat = heartbeat
        self.onNotification = onNotification
        self.onReconnect = onReconnect
    }

    /// Returns when its task is cancelled.
    package func run() async {
        var failures = 0
        while !Task.isCancelled {
            do {
                let connection = try await PostgresConnection.connect(configuration, logger: logger)
                defer { connection.closeSoon() }
                let notifications = try await connection.notifications()
                for channel in channels { try await connection.listen(to: channel) }
                failures = 0
                await onReconnect()
                try await follow(notifications, on: connection)
            } catch {
                if Task.isCancelled { return }
                failures += 1
                logger.warning("not listening to the database", metadata: ["error": "\(error)"])
                try? await Task.sleep(for: backoff.delay(afterFailures: failures, jitter: .random(in: 0...1)))
            }
        }
    }

    private func follow(
        _ notifications: AsyncThrowingStream<Notification, any Error>, on connection: PostgresConnection
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for try await notification in notifications { await onNotification(notification) }
            }
            group.addTask {
                while true {
                    try await Task.sleep(for: heartbeat)
                    try await connection.run("SELECT 1")
                }
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }
}
