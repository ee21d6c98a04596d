/// Runs statements: a connection, or a transaction on one.
package protocol QueryExecutor: Sendable {
    /// Every row of the statement.
    func all<Output>(_ statement: Statement<Output>) async throws -> [Output]
    /// The first row, if there is one. Add `LIMIT 1` where there may be many.
    func first<Output>(_ statement: Statement<Output>) async throws -> Output?
    /// - Returns: how many rows were touched.
    @discardableResult
    func run(_ statement: Command) async throws -> Int
    /// Sends all statements at once and returns a result for each, in order.
    ///
    /// - Throws: `PipelineError` naming the first statement that failed; those after it weren't run. Outside a
    ///   transaction those before it are undone too.
    func pipeline(_ statements: [AnyStatement]) async throws -> [ResultSet]
}

extension QueryExecutor {
    package func all<Output>(_ statement: Statement<Output>) async throws -> [Output] {
        try await single(statement.erased).rows()
    }

    package func first<Output>(_ statement: Statement<Output>) async throws -> Output? {
        let result = try await single(statement.erased)
        return result.count > 0 ? try Output(result[0]) : nil
    }

    @discardableResult
    package func run(_ statement: Command) async throws -> Int {
        try await single(statement.erased).affectedRows
    }

    /// Sends all commands at once.
    /// - Throws: as ``pipeline(_:)``.
    package func run(all commands: [Command]) async throws {
        guard !commands.isEmpty else { return }
        _ = try await pipeline(commands.map(\.erased))
    }

    private func single(_ statement: AnyStatement) async throws -> ResultSet {
        do {
            guard let result = try await pipeline([statement]).first else {
                throw PostgresError(kind: .protocolViolation, message: "no result")
            }
            return result
        } catch let error as PipelineError {
            throw error.underlying
        }
    }
}
