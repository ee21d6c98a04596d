/// What went wrong between us and the database. `message` is for logs, never for clients of ours.
package struct PostgresError: Error, Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        /// The server refused a statement; see `sqlState`.
        case server
        /// The connection broke, or the server ended it (then `sqlState` may tell why).
        case connectionLost
        case connectFailed
        /// A statement took longer than the server or we allow, or a connection wasn't free in time to connect.
        case timeout
        /// No connection became free within the pool's time-out, or too many are waiting.
        case poolExhausted
        case poolClosed
        case cancelled
        /// A column didn't fit the Swift type that asked for it.
        case decoding
        /// libpq or the server did what the protocol doesn't allow here.
        case protocolViolation
    }

    package var kind: Kind
    /// Five characters, PostgreSQL's Appendix A.
    package var sqlState: String?
    package var constraint: String?
    package var table: String?
    package var column: String?
    package var message: String
    /// A COMMIT was on its way when the connection broke: the transaction may or may not have happened.
    package var commitUnknown = false

    package init(
        kind: Kind, sqlState: String? = nil, constraint: String? = nil, table: String? = nil, column: String? = nil,
        message: String, commitUnknown: Bool = false
    ) {
        self.kind = kind
        self.sqlState = sqlState
        self.constraint = constraint
        self.table = table
        self.column = column
        self.message = message
        self.commitUnknown = commitUnknown
    }

    static func decoding(_ message: String) -> PostgresError {
        PostgresError(kind: .decoding, message: message)
    }
}

extension PostgresError: CustomStringConvertible {
    package var description: String {
        let state = sqlState.map { " \($0)" } ?? ""
        let name = constraint.map { " (\($0))" } ?? ""
        return "PostgresError.\(kind)\(state)\(name): \(message)"
    }
}

extension PostgresError {
    /// Serialization failure and deadlock: the same transaction may succeed if it runs again.
    package var isTransient: Bool { sqlState == "40001" || sqlState == "40P01" }

    /// A prepared statement that the server no longer has, or whose result types changed under it (DDL).
    var isStalePlan: Bool { sqlState == "26000" || (sqlState == "0A000" && message.contains("cached plan")) }
}

/// The first statement of a pipeline that failed; those after it were not run.
package struct PipelineError: Error, Sendable, Hashable {
    /// Index into the statements that were passed.
    package let index: Int
    package let underlying: PostgresError

    package init(index: Int, underlying: PostgresError) {
        self.index = index
        self.underlying = underlying
    }
}

extension Error {
    /// What went wrong with the database, alone or in a pipeline; nil for errors of others.
    package var postgresError: PostgresError? {
        self as? PostgresError ?? (self as? PipelineError)?.underlying
    }
}
