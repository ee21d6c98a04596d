import Foundation
import Logging
import Postgres
import Shared

/// A database of its own with today's schema: migrated once in each test process, then cloned.
package struct MigratedDatabase: Sendable {
    /// The roles that processes connect as; only these are bound by row-level security.
    package enum Role: String, Sendable {
        case ingest = "pulsegate_ingest"
        case query = "pulsegate_query"
        case system = "pulsegate_system"
    }

    package let name: String

    /// The tests' own server trusts whoever connects from its own machine, so no role needs a password.
    /// - Parameter host: what stands in front of the server, if not the server itself.
    package func url(as role: Role, through host: String? = nil) throws -> String {
        try TestPostgres.url(database: name, user: role.rawValue, host: host)
    }

    /// Makes a database for the time of `body`.
    ///
    /// - Parameter original: what to clone, instead of a database with the schema alone.
    package static func withClone<Value: Sendable>(
        of original: String? = nil, _ body: @Sendable (MigratedDatabase) async throws -> Value
    ) async throws -> Value {
        let name = try await clone(of: original)
        do {
            let value = try await body(MigratedDatabase(name: name))
            try await TestPostgres.dropDatabase(name)
            return value
        } catch {
            try? await TestPostgres.dropDatabase(name)
            throw error
        }
    }

    /// - Returns: the name of a database that the caller drops, or leaves to go with the tests' server.
    package static func clone(of original: String? = nil) async throws -> String {
        let migrated = try await template.value
        return try await TestPostgres.createDatabase(template: original ?? migrated)
    }

    /// Lends a pool of one role's connections.
    package func withPool<Value: Sendable>(
        as role: Role, maxConnections: Int = 4, through host: String? = nil,
        _ body: @Sendable (Database) async throws -> Value
    ) async throws -> Value {
        let connection = ConnectionConfiguration(url: try url(as: role, through: host), applicationName: "tests")
        let pool = PostgresPool(
            PoolConfiguration(connection: connection, maxConnections: maxConnections, acquireTimeout: .seconds(60)),
            logger: .silent)
        do {
            let value = try await body(Database(pool: pool))
            await pool.close()
            return value
        } catch {
            await pool.close()
            throw error
        }
    }

    /// Lends a superuser's connection, which sees every tenant: for putting things there and looking behind the scenes.
    @discardableResult
    package func asSuperuser<Value: Sendable>(
        _ body: @Sendable (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        let configuration = ConnectionConfiguration(url: try TestPostgres.url(database: name), applicationName: "tests")
        let connection = try await PostgresConnection.connect(configuration, logger: .silent)
        do {
            let value = try await body(connection)
            await connection.close()
            return value
        } catch {
            await connection.close()
            throw error
        }
    }

    /// Made by the first who asks; it goes with the tests' server.
    private static let template = Task {
        let name = try await TestPostgres.createDatabase()
        try await MigratedDatabase(name: name).asSuperuser { connection in
            let migrations = try Migration.load(from: migrationsDirectory)
            _ = try await Migrator(connection: connection, migrations: migrations, logger: .silent).migrate()
        }
        return name
    }

    /// `migrations/` beside `Tests/`.
    package static let migrationsDirectory = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "migrations")
}

extension Logger {
    /// Says nothing.
    package static let silent = Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() }
}
