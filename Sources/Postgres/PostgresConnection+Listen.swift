extension PostgresConnection {
    /// Subscribes to a channel. A connection that listens doesn't go back to its pool.
    package func listen(to channel: String) async throws {
        health.startedListening()
        try await run("LISTEN \(.identifier(channel))")
    }

    /// What arrives on this connection from now on. A second call takes over from the first.
    ///
    /// Ends with an error when the connection breaks, and without one when the waiting task is cancelled. What isn't
    /// read is kept up to `limit` notifications; beyond that the oldest are dropped.
    package func notifications(keeping limit: Int = 10_000) async throws -> AsyncThrowingStream<Notification, any Error>
    {
        let (stream, continuation) = AsyncThrowingStream<Notification, any Error>.makeStream(
            bufferingPolicy: .bufferingNewest(limit))
        try await perform { session in
            session.notifications?.finish()
            session.notifications = continuation
        }
        return stream
    }
}
