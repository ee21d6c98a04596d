import Logging
import Postgres
import ServiceLifecycle
import Synchronization

/// The database was migrated less far than this build needs.
package struct StaleSchema: Error, CustomStringConvertible {
    package let current: Int32

    package var description: String {
        """
        the database has schema version \(current) and this process needs \(SchemaVersion.required): \
        run `pulsegate migrate` first
        """
    }
}

/// Keeps the process "not ready" until the database has the schema that this build was written for. A database that is away
/// is waited for; one with an older schema ends the process.
package final class SchemaGate: Service {
    private let database: Database
    private let logger: Logger
    private let isOpen = Atomic<Bool>(false)

    package init(database: Database, logger: Logger) {
        self.database = database
        self.logger = logger
    }

    package var check: ReadinessCheck {
        ReadinessCheck("schema") { [self] in isOpen.load(ordering: .acquiring) }
    }

    /// One look. Returns whether the schema is good; false when the database did not answer.
    ///
    /// - Throws: `StaleSchema`.
    package func open() async throws -> Bool {
        if isOpen.load(ordering: .acquiring) { return true }
        let current: Int32
        do {
            current = try await SchemaVersion.current(in: database)
        } catch let error as PostgresError {
            logger.warning("the database does not answer", metadata: ["error": "\(error)"])
            return false
        }
        guard current >= SchemaVersion.required else { throw StaleSchema(current: current) }
        isOpen.store(true, ordering: .releasing)
        return true
    }

    package func run() async throws {
        try await cancelWhenGracefulShutdown {
            do {
                while try await !self.open() { try await Task.sleep(for: .seconds(1)) }
            } catch is CancellationError {} // told to stop while the database is away: that is no error
        }
        try? await gracefulShutdown()
    }
}
