import Logging
import Postgres

/// Brings a database to the newest schema. Needs a superuser, or a role with CREATEROLE that owns the database; all but the
/// roles themselves is made by, and belongs to, `pulsegate_owner`.
package struct Migrator: Sendable {
    package struct Status: Sendable {
        package let migration: Migration
        package let appliedAt: Timestamp?
    }

    private struct Applied: RowDecodable {
        let version: Int32
        let checksum: String
        let appliedAt: Timestamp

        init(_ row: Row) throws {
            version = try row["version"]
            checksum = try row["checksum"]
            appliedAt = try row["applied_at"]
        }
    }

    /// One advisory lock for every migrator of a database.
    private static let lock: Int64 = 7_310_000

    private let connection: PostgresConnection
    private let migrations: [Migration]
    private let logger: Logger

    package init(connection: PostgresConnection, migrations: [Migration], logger: Logger) {
        self.connection = connection
        self.migrations = migrations
        self.logger = logger
    }

    /// Applies what is missing, in order, and returns it. A second migrator waits for the first and finds nothing to do.
    package func migrate() async throws -> [Migration] {
        // Asked for again and again instead of waited for: who waits holds a snapshot, and CREATE INDEX CONCURRENTLY waits for those.
        while try await connection.first("SELECT pg_try_advisory_lock(\(Self.lock))" as Statement<Bool>) != true {
            try await Task.sleep(for: .milliseconds(100))
        }
        do {
            let done = try await applyMissing()
            _ = try await connection.run("SELECT pg_advisory_unlock(\(Self.lock))")
            return done
        } catch {
            await connection.close() // gives the lock back, whatever state the session is in
            throw error
        }
    }

    /// Each known migration and when it was applied.
    package func status() async throws -> [Status] {
        let applied = try await check()
        return migrations.map { Status(migration: $0, appliedAt: applied[$0.version]) }
    }

    private func applyMissing() async throws -> [Migration] {
        let applied = try await check()
        let missing = migrations.filter { applied[$0.version] == nil }
        for migration in missing {
            do {
                try await apply(migration)
            } catch let error as PostgresError {
                throw MigrationError.failed(
                    version: migration.version, name: migration.name, reason: error.description)
            }
            logger.info("migrated", metadata: ["version": "\(migration.version)", "name": "\(migration.name)"])
        }
        return missing
    }

    /// The first migration makes the roles, so it runs as whoever connected; the others run as the owner.
    private func apply(_ migration: Migration) async throws {
        let asOwner = migration.version > 1
        if migration.runsInTransaction {
            _ = try await connection.run("BEGIN")
        }
        do {
            if asOwner { _ = try await connection.run("SET ROLE pulsegate_owner") }
            try await connection.execute(script: migration.sql)
            if !asOwner { try await makeLedger() }
            try await record(migration)
            if migration.runsInTransaction { _ = try await connection.run("COMMIT") }
            if asOwner { _ = try await connection.run("RESET ROLE") }
        } catch {
            if migration.runsInTransaction { _ = try await connection.run("ROLLBACK") }
            _ = try await connection.run("RESET ROLE")
            throw error
        }
    }

    private func makeLedger() async throws {
        _ = try await connection.run("SET ROLE pulsegate_owner")
        _ = try await connection.run(
            """
            CREATE TABLE schema_migrations (
                version    int PRIMARY KEY,
                name       text NOT NULL,
                checksum   text NOT NULL,
                applied_at timestamptz NOT NULL DEFAULT now()
            )
            """)
        _ = try await connection.run(
            "GRANT SELECT ON schema_migrations TO pulsegate_ingest, pulsegate_query, pulsegate_system")
    }

    private func record(_ migration: Migration) async throws {
        _ = try await connection.run(
            """
            INSERT INTO schema_migrations (version, name, checksum)
            VALUES (\(migration.version), \(migration.name), \(migration.checksum))
            """)
    }

    /// What was applied, by version; throws when the ledger and the files tell different stories.
    private func check() async throws -> [Int32: Timestamp] {
        let exists: Bool? = try await connection.first("SELECT to_regclass('public.schema_migrations') IS NOT NULL")
        guard exists == true else { return [:] }
        let applied: [Applied] = try await connection.all(
            "SELECT version, checksum, applied_at FROM schema_migrations ORDER BY version")
        for entry in applied {
            guard let migration = migrations.first(where: { $0.version == entry.version }) else {
                throw MigrationError.unknown(version: entry.version)
            }
            guard migration.checksum == entry.checksum else {
                throw MigrationError.changed(version: migration.version, name: migration.name)
            }
        }
        return Dictionary(uniqueKeysWithValues: applied.map { ($0.version, $0.appliedAt) })
    }
}
