import Synchronization

/// A transaction in progress, from `PostgresPool.transaction`. BEGIN and settings travel with the first statement; one
/// that runs nothing never reaches the server.
package struct PostgresTransaction: QueryExecutor {
    private let connection: PostgresConnection
    private let progress: TransactionProgress

    init(on connection: PostgresConnection, _ options: TransactionOptions, settings: [Setting]) {
        self.connection = connection
        progress = TransactionProgress([options.begin] + (settings.isEmpty ? [] : [Setting.apply(settings)]))
    }

    package func pipeline(_ statements: [AnyStatement]) async throws -> [ResultSet] {
        guard !statements.isEmpty else { return [] }
        return try await connection.perform { [progress] in try $0.run(statements, after: progress.takePrologue()) }
    }

    /// Changes settings for what follows. They travel with the next statement.
    package func set(_ settings: [Setting]) async throws {
        guard !settings.isEmpty else { return }
        progress.append(Setting.apply(settings))
    }

    /// As on `PostgresConnection`, within this transaction.
    @discardableResult
    package func copyIn(
        _ target: Fragment, _ body: @escaping @Sendable (inout CopyWriter) throws -> Void
    ) async throws -> Int {
        try await begun { try $0.copyIn(target, body) }
    }

    /// As on `PostgresConnection`, within this transaction.
    @discardableResult
    package func copyOut(
        _ source: Fragment, _ body: @escaping @Sendable (CopyRow) throws -> Void
    ) async throws -> Int {
        try await begun { try $0.copyOut(source, body) }
    }

    /// As on `PostgresConnection`, within this transaction.
    package func execute(script: String) async throws {
        try await begun { try $0.execute(script: script) }
    }

    /// For what can't travel in a pipeline: BEGIN and settings go first, in a round trip of their own.
    private func begun<Value: Sendable>(_ work: @escaping @Sendable (Session) throws -> Value) async throws -> Value {
        try await connection.perform { [progress] session in
            let prologue = try progress.takePrologue()
            if !prologue.isEmpty { _ = try session.run([], after: prologue) }
            return try work(session)
        }
    }

    /// Not cancellable: that would leave the outcome unknown for nothing.
    func commit() async throws {
        try await connection.perform(cancellable: false) { [progress] session in
            progress.end()
            guard !session.isOutsideTransaction else { return }
            try session.commit()
        }
    }

    /// The connection is discarded if even this fails.
    func rollBack() async {
        _ = try? await connection.perform(cancellable: false) { [progress] session in
            progress.end()
            try session.rollBack()
        }
    }
}

/// What is still to be sent ahead of a transaction's next statement, and whether there may be a next one. It is asked
/// on the connection's thread, so with several tasks in one transaction BEGIN still goes first.
private final class TransactionProgress: Sendable {
    private struct State {
        var prologue: [AnyStatement]
        var hasEnded = false
    }

    private let state: Mutex<State>

    init(_ prologue: [AnyStatement]) {
        state = Mutex(State(prologue: prologue))
    }

    func append(_ statement: AnyStatement) {
        state.withLock { $0.prologue.append(statement) }
    }

    /// - Throws: if the transaction has ended: its connection may serve somebody else by now.
    func takePrologue() throws -> [AnyStatement] {
        try state.withLock { state in
            guard !state.hasEnded else {
                throw PostgresError(kind: .protocolViolation, message: "a transaction was used after its end")
            }
            defer { state.prologue = [] }
            return state.prologue
        }
    }

    func end() {
        state.withLock { $0.hasEnded = true }
    }
}
