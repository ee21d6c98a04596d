package struct PoolConfiguration: Sendable {
    package var connection: ConnectionConfiguration
    package var maxConnections: Int
    /// How long a caller waits for a connection.
    package var acquireTimeout: Duration
    /// Callers that may wait at once; more are refused at once.
    package var maxWaiters: Int
    /// Connections unused for longer are closed.
    package var idleTimeout: Duration
    /// Connections older than this are replaced when they come back.
    package var maxLifetime: Duration
    /// Connections unused for longer are tried out before they are lent.
    package var healthCheckAfterIdle: Duration
    var backoff = Backoff()

    package init(
        connection: ConnectionConfiguration, maxConnections: Int = 10, acquireTimeout: Duration = .seconds(5),
        maxWaiters: Int = 1_000, idleTimeout: Duration = .seconds(300), maxLifetime: Duration = .seconds(3_600),
        healthCheckAfterIdle: Duration = .seconds(30)
    ) {
        self.connection = connection
        self.maxConnections = max(1, maxConnections)
        self.acquireTimeout = acquireTimeout
        self.maxWaiters = maxWaiters
        self.idleTimeout = idleTimeout
        self.maxLifetime = maxLifetime
        self.healthCheckAfterIdle = healthCheckAfterIdle
    }
}
