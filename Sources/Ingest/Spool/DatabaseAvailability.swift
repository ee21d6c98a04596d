import HTTPTypes
import Logging
import Postgres
import Shared
import Synchronization

/// Whether the database answers, as requests have found. While it does not, they go to the spool at once instead of each finding out
/// for itself.
final class DatabaseAvailability: Sendable {
    private let away = Atomic<Bool>(false)
    private let logger: Logger

    init(logger: Logger) {
        self.logger = logger
    }

    var isAway: Bool { away.load(ordering: .relaxed) }

    func lost(_ reason: any Error) {
        guard !away.exchange(true, ordering: .relaxed) else { return }
        logger.warning("the database is away: requests are spooled", metadata: ["reason": "\(reason)"])
    }

    func found() {
        guard away.exchange(false, ordering: .relaxed) else { return }
        logger.notice("the database is back")
    }
}

extension Error {
    /// Nothing is wrong with what was sent: the database can't take it now, or nobody knows whether it did.
    var isOutage: Bool {
        switch self {
        case is BatcherOverdue: true
        case let error as PipelineError: error.underlying.isOutage
        case let error as PostgresError:
            error.kind != .cancelled && Problem(postgres: error).status == .serviceUnavailable
        default: false
        }
    }
}
