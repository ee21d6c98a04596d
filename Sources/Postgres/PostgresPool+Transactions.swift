extension PostgresPool {
    /// Lends a connection for as long as `body` runs, for autocommit statements, COPY, scripts and the like.
    ///
    /// A connection left inside a transaction is discarded. Session settings that `body` changes stay on the
    /// connection.
    @discardableResult
    package func withConnection<Value: Sendable>(
        _ body: @Sendable (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        let lease = try await acquire()
        defer { release(lease) }
        return try await body(lease.connection)
    }

    /// Runs `body` in a transaction: COMMIT when it returns, ROLLBACK when it throws.
    ///
    /// After a serialization failure, a deadlock or a connection lost before COMMIT `body` runs again, so it must do
    /// nothing outside the transaction that can't be repeated.
    /// - Parameter settings: set with BEGIN, for this transaction only.
    @discardableResult
    package func transaction<Value: Sendable>(
        _ options: TransactionOptions = TransactionOptions(), settings: [Setting] = [],
        _ body: @Sendable (PostgresTransaction) async throws -> Value
    ) async throws -> Value {
        try await retrying(options) { connection in
            let transaction = PostgresTransaction(on: connection, options, settings: settings)
            do {
                let value = try await body(transaction)
                try await transaction.commit()
                return value
            } catch {
                await transaction.rollBack()
                throw error
            }
        }
    }

    /// A whole transaction in ONE round trip: BEGIN, settings, the statements, COMMIT.
    ///
    /// - Returns: a result for each statement.
    /// - Throws: `PipelineError` naming the first statement that failed; nothing is kept then.
    @discardableResult
    package func transaction(
        pipeline statements: [AnyStatement], _ options: TransactionOptions = TransactionOptions(),
        settings: [Setting] = []
    ) async throws -> [ResultSet] {
        let prologue = [options.begin] + (settings.isEmpty ? [] : [Setting.apply(settings)])
        return try await retrying(options) { connection in
            try await connection.perform { try $0.runTransaction(statements, after: prologue) }
        }
    }

    /// One statement in a transaction of its own, in ONE round trip.
    @discardableResult
    package func single<Output>(
        _ statement: Statement<Output>, readOnly: Bool = false, settings: [Setting] = []
    ) async throws -> [Output] {
        do {
            let options = TransactionOptions(readOnly: readOnly)
            let results = try await transaction(pipeline: [statement.erased], options, settings: settings)
            return try results.first?.rows() ?? []
        } catch let error as PipelineError {
            throw error.underlying
        }
    }

    /// Whether the database answers.
    package func ping() async -> Bool {
        do {
            return try await withConnection { try await $0.first("SELECT 1" as Statement<Int32>) } == 1
        } catch {
            return false
        }
    }

    private func retrying<Value: Sendable>(
        _ options: TransactionOptions, _ attempt: @Sendable (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        var attempts = 1
        while true {
            do {
                return try await withConnection(attempt)
            } catch {
                guard attempts < options.attempts, Self.mayRunAgain(error, options) else { throw error }
                attempts += 1
                // Two transactions that met once shouldn't meet again at once.
                try await Task.sleep(for: .milliseconds(Int.random(in: 1...(5 * attempts))))
            }
        }
    }

    /// Besides conflicts with other transactions: a plan made stale by DDL, and a connection that broke before COMMIT.
    private static func mayRunAgain(_ error: any Error, _ options: TransactionOptions) -> Bool {
        guard let error = error.postgresError else { return false }
        let nothingHappened = error.kind == .connectionLost && (options.readOnly || !error.commitUnknown)
        return error.isTransient || error.isStalePlan || (nothingHappened && error.sqlState != idleInTransaction)
    }

    /// The server's answer to a body that takes too long: it would again.
    private static let idleInTransaction = "25P03"
}
