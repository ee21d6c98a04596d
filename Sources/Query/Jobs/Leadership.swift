import Logging
import Postgres
import Shared

/// Which of the processes runs the jobs. All that leans on advisory locks is here: one on the node where `job_runs` lives, held by a
/// session, so it ends with its process, however that ends. It takes a connection that is the server's own: a pooler that changes
/// sessions between transactions would lend the lock to strangers.
struct Leadership: Sendable {
    private static let lock: Int64 = 7_310_010

    private let connection: PostgresConnection
    private let logger: Logger

    /// Waits until nobody else leads.
    /// - Throws: `CancellationError` alone.
    static func won(
        _ configuration: ConnectionConfiguration, pace: Duration, logger: Logger
    ) async throws -> Leadership {
        var isTold = false
        while true {
            do {
                return try await candidacy(configuration, pace: pace, logger: logger)
            } catch {
                try Task.checkCancellation()
                if !isTold { logger.warning("nobody can lead the jobs from here", metadata: ["reason": "\(error)"]) }
                isTold = true
                try await Task.sleep(for: pace)
            }
        }
    }

    private static func candidacy(
        _ configuration: ConnectionConfiguration, pace: Duration, logger: Logger
    ) async throws -> Leadership {
        let connection = try await PostgresConnection.connect(own(configuration), logger: logger)
        do {
            while try await connection.first("SELECT pg_try_advisory_lock(\(lock))" as Statement<Bool>) != true {
                try await Task.sleep(for: pace)
            }
            return Leadership(connection: connection, logger: logger)
        } catch {
            await connection.close()
            throw error
        }
    }

    /// The server notices within half a minute when the machine of a leader is gone: until then nobody else could lead.
    private static func own(_ configuration: ConnectionConfiguration) -> ConnectionConfiguration {
        var own = configuration
        own.applicationName += "-leader"
        own.statementTimeout = .seconds(5)
        own.settings["tcp_keepalives_idle"] = "10"
        own.settings["tcp_keepalives_interval"] = "5"
        own.settings["tcp_keepalives_count"] = "3"
        return own
    }

    /// Tries its connection out until it is lost or the task is cancelled. Then nobody leads any more, at once.
    func hold(pace: Duration) async {
        do {
            while true {
                try await Task.sleep(for: pace)
                _ = try await connection.first("SELECT 1" as Statement<Int32>)
            }
        } catch {
            if !Task.isCancelled { logger.warning("the jobs are led no more", metadata: ["reason": "\(error)"]) }
        }
        await connection.close()
    }

    /// Whatever only a leader may write: it is of the session that holds the lock, so it fails where that is lost.
    func run(_ command: Command) async throws {
        _ = try await connection.run(command)
    }

    /// As ``run(_:)``, for what only a leader needs to know.
    func first<Output>(_ statement: Statement<Output>) async throws -> Output? {
        try await connection.first(statement)
    }
}
