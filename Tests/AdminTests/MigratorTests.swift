import Foundation
import Postgres
import Support
import Testing

@testable import Admin
@testable import Shared

struct MigratorTests {
    private static func withMigrator<Value: Sendable>(
        _ url: String, _ migrations: [Migration], _ body: (Migrator) async throws -> Value
    ) async throws -> Value {
        let connection = try await PostgresConnection.connect(ConnectionConfiguration(url: url), logger: .silent)
        let value: Value
        do {
            value = try await body(Migrator(connection: connection, migrations: migrations, logger: .silent))
        } catch {
            await connection.close()
            throw error
        }
        await connection.close()
        return value
    }

    private static var migrations: [Migration] {
        get throws { try Migration.load(from: MigratedDatabase.migrationsDirectory) }
    }

    @Test func aSecondRunFindsNothingToDo() async throws {
        try await TestPostgres.withDatabase { url in
            let migrations = try Self.migrations
            #expect(try await Self.withMigrator(url, migrations) { try await $0.migrate() } == migrations)
            #expect(try await Self.withMigrator(url, migrations) { try await $0.migrate() } == [])
            let status = try await Self.withMigrator(url, migrations) { try await $0.status() }
            #expect(status.allSatisfy { $0.appliedAt != nil })
        }
    }

    @Test func theBuildsVersionIsTheNewestFile() throws {
        #expect(try Self.migrations.last?.version == SchemaVersion.required)
    }

    @Test func migratorsAtOnceApplyEachOnce() async throws {
        try await TestPostgres.withDatabase { url in
            let migrations = try Self.migrations
            let applied = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<4 {
                    group.addTask { try await Self.withMigrator(url, migrations) { try await $0.migrate().count } }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(applied.sorted() == [0, 0, 0, migrations.count])
        }
    }

    @Test func aChangedFileIsRefused() async throws {
        try await TestPostgres.withDatabase { url in
            var migrations = try Self.migrations
            _ = try await Self.withMigrator(url, migrations) { try await $0.migrate() }
            let last = migrations.removeLast()
            migrations.append(Migration(version: last.version, name: last.name, sql: last.sql + "\n-- afterthought"))
            await #expect(throws: MigrationError.self) {
                _ = try await Self.withMigrator(url, migrations) { try await $0.migrate() }
            }
        }
    }

    @Test func aDatabaseFromTheFutureIsRefused() async throws {
        try await TestPostgres.withDatabase { url in
            let migrations = try Self.migrations
            _ = try await Self.withMigrator(url, migrations) { try await $0.migrate() }
            await #expect(throws: MigrationError.self) {
                _ = try await Self.withMigrator(url, Array(migrations.dropLast())) { try await $0.migrate() }
            }
        }
    }

    @Test func aFailedMigrationLeavesNoTrace() async throws {
        try await TestPostgres.withDatabase { url in
            let good = try Self.migrations
            let broken = Migration(
                version: SchemaVersion.required + 1, name: "broken", sql: "CREATE TABLE half (); SELECT 1 / 0;")
            await #expect(throws: MigrationError.self) {
                _ = try await Self.withMigrator(url, good + [broken]) { try await $0.migrate() }
            }
            let connection = try await PostgresConnection.connect(ConnectionConfiguration(url: url), logger: .silent)
            let traces: String? = try await connection.first(
                "SELECT coalesce(to_regclass('half')::text, '') || max(version)::text FROM schema_migrations")
            await connection.close()
            #expect(traces == String(SchemaVersion.required))
        }
    }
}
