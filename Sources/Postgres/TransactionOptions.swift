package struct TransactionOptions: Sendable, Hashable {
    package enum Isolation: Sendable, Hashable {
        case readCommitted
        case repeatableRead
        case serializable
    }

    package var isolation: Isolation
    package var readOnly: Bool
    /// How often the body may run in all, when the server reports a serialization failure or a deadlock.
    package var attempts: Int

    package init(isolation: Isolation = .readCommitted, readOnly: Bool = false, attempts: Int = 3) {
        self.isolation = isolation
        self.readOnly = readOnly
        self.attempts = attempts
    }

    /// Writing is not demanded: a server that was told to take no writes, by its default for transactions, is not to be overruled.
    var begin: AnyStatement {
        let command: Command =
            switch (isolation, readOnly) {
            case (.readCommitted, false): "BEGIN ISOLATION LEVEL READ COMMITTED"
            case (.readCommitted, true): "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY"
            case (.repeatableRead, false): "BEGIN ISOLATION LEVEL REPEATABLE READ"
            case (.repeatableRead, true): "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
            case (.serializable, false): "BEGIN ISOLATION LEVEL SERIALIZABLE"
            case (.serializable, true): "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY"
            }
        return command.erased
    }

    static let commit = Command("COMMIT").erased
    static let rollback = Command("ROLLBACK").erased
}
