import HTTPTypes
import Logging
import Postgres
import Shared
import Synchronization

/// Whether the database answers, as requests have found. While it does not, they go to the spool at once instead of each finding out
/// for itself.
final class DatabaseAvailability: Sendable {
    private let away = Atomic<Bool>(false)
    private let asking = Atomic<Bool>(false)
    private let ping: @Sendable () async -> Bool
    private let logger: Logger

    /// - Parameter ping: whether the database answers; may take its time.
    init(ping: @escaping @Sendable () async -> Bool, logger: Logger) {
        self.ping = ping
        self.logger = logger
    }

    var isAway: Bool { away.load(ordering: .relaxed) }

    func lost(_ reason: any Error) {
        guard !away.exchange(true, ordering: .relaxed) else { return }
        logger.warning("the database is away: requests are spooled", metadata: ["reason": "\(reason)"])
    }

    /// Something took too long. That may be a lock, which is nobody else's business, or a database that says nothing any more.
    func doubted() {
        guard !isAway, !asking.exchange(true, ordering: .relaxed) else { return }
        Task {
            if await !answers(within: .seconds(1)) { lost(Overdue()) }
            asking.store(false, ordering: .relaxed)
        }
    }

    /// A connection that hangs is given up.
    func answers(within limit: Duration) async -> Bool {
        (try? await limit.orOverdue(ping)) ?? false
    }

    func found() {
        guard away.exchange(false, ordering: .relaxed) else { return }
        logger.notice("the database is back")
    }
}

extension Error {
    /// Nothing is wrong with what was sent: the database can't take it now, or nobody knows whether it did.
    var isOutage: Bool {
        self is Overdue || postgresError?.meansOutage == true
    }

    /// Every other request would find the same.
    var isDatabaseAway: Bool {
        postgresError?.meansAway == true
    }
}

extension PostgresError {
    fileprivate var meansOutage: Bool {
        kind != .cancelled && (meansAway || Problem(postgres: self).status == .serviceUnavailable)
    }

    /// No connection; a server that starts, stops, is no primary, has no disk, memory or connections left, or fails at its disk.
    /// Locks and deadlocks are between some requests alone.
    fileprivate var meansAway: Bool {
        switch kind {
        case .connectionLost, .connectFailed, .poolExhausted, .timeout: return true
        case .server: break
        default: return false
        }
        guard let sqlState else { return false }
        let isReadOnly = sqlState == "25006" || (sqlState == "0A000" && message.contains("recovery"))
        let isTimeout = sqlState == "57014"
        return isReadOnly || !isTimeout && ["08", "53", "57", "58"].contains { sqlState.hasPrefix($0) }
    }
}
