import Logging

/// One connection to the server, on a thread of its own. Calls from several tasks are run one after the other.
///
/// A cancelled task stops the statement on the server. A connection that timed out, or of which it isn't known
/// what the server is doing, turns `isUsable` false and runs nothing more.
package final class PostgresConnection: QueryExecutor {
    private let thread: ConnectionThread
    let health: ConnectionHealth
    /// Process id of the server's backend.
    package let backendID: Int32

    private init(thread: ConnectionThread, health: ConnectionHealth, backendID: Int32) {
        self.thread = thread
        self.health = health
        self.backendID = backendID
    }

    deinit {
        closeSoon()
    }

    /// - Throws: `PostgresError` of kind `connectFailed`.
    package static func connect(
        _ configuration: ConnectionConfiguration, logger: Logger = Logger(label: "postgres")
    ) async throws -> PostgresConnection {
        let thread = try ConnectionThread()
        let health = ConnectionHealth()
        let backendID: Int32 = try await withCheckedThrowingContinuation { continuation in
            do {
                try thread.start { wakeUp in
                    do {
                        let session = try Session(configuration, wakeUp: wakeUp, health: health, logger: logger)
                        continuation.resume(returning: session.backendID)
                        return session
                    } catch {
                        continuation.resume(throwing: error)
                        return nil
                    }
                }
            } catch {
                continuation.resume(throwing: error)
            }
        }
        return PostgresConnection(thread: thread, health: health, backendID: backendID)
    }

    /// Whether the connection can run statements. Turns false by itself when the server ends it.
    package var isUsable: Bool { health.current != .broken }

    /// Neither inside a transaction nor listening, so fit to go back to a pool.
    var isIdle: Bool { health.current == .idle && !health.isListening }

    package func pipeline(_ statements: [AnyStatement]) async throws -> [ResultSet] {
        guard !statements.isEmpty else { return [] }
        return try await perform { try $0.run(statements) }
    }

    /// Sends the last statements of an open transaction and COMMIT together. Not cancellable: that would leave the outcome unknown for
    /// nothing.
    ///
    /// - Throws: `PostgresError`; its `commitUnknown` tells whether the transaction may be committed all the same.
    package func commit(after statements: [AnyStatement]) async throws {
        try await perform(cancellable: false) { try $0.commit(after: statements) }
    }

    /// Lets what is running finish, then closes.
    package func close() async {
        await withCheckedContinuation { continuation in
            thread.submit { session in
                session?.isClosing = true
                session?.health.publish(.broken)
                continuation.resume()
            }
        }
    }

    func closeSoon() {
        thread.submit { $0?.isClosing = true }
    }

    /// One hand-over to the connection's thread and back.
    ///
    /// - Parameter cancellable: false for what must happen even though the task was cancelled, such as ROLLBACK.
    func perform<Value: Sendable>(
        cancellable: Bool = true, _ work: @escaping @Sendable (Session) throws -> Value
    ) async throws -> Value {
        let call = Call(isCancellable: cancellable)
        return try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { (continuation: UnsafeContinuation<Value, any Error>) in
                thread.submit { session in
                    guard let session else {
                        let error = PostgresError(kind: .connectionLost, message: "the connection is closed")
                        return continuation.resume(throwing: error)
                    }
                    continuation.resume(with: Result { try session.perform(call, work) })
                }
            }
        } onCancel: {
            call.cancel()
            thread.wakeUp.signal()
        }
    }
}
