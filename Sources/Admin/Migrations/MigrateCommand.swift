import ArgumentParser
import Logging
import Postgres
import Shared

struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "Brings the database of DATABASE_URL to the newest schema.",
        subcommands: [Apply.self, Status.self], defaultSubcommand: Apply.self)

    struct Files: ParsableArguments {
        @Option(help: "Directory of the migrations.")
        var migrations: String?
    }

    struct Apply: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Applies what is missing (the default).")

        @OptionGroup var files: Files

        func run() async throws {
            let applied = try await withMigrator(files) { try await $0.migrate() }
            for migration in applied {
                Console.show("applied \(migration.version) \(migration.name)")
            }
            if applied.isEmpty { Console.show("the schema is up to date") }
        }
    }

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists the migrations and when each was applied.")

        @OptionGroup var files: Files

        func run() async throws {
            let status = try await withMigrator(files) { try await $0.status() }
            Console.showTable(
                ["version", "name", "applied"],
                status.map { [String($0.migration.version), $0.migration.name, $0.appliedAt?.rfc3339 ?? "no"] })
        }
    }

    /// On a connection of its own, without a statement time-out: a migration takes what it takes.
    private static func withMigrator<Value: Sendable>(
        _ files: Files, _ body: (Migrator) async throws -> Value
    ) async throws -> Value {
        let migrations = try Migration.load(from: MigrationsDirectory(flag: files.migrations).find())
        let connection = try await PostgresConnection.connect(
            ConnectionConfiguration(
                url: try EnvironmentSetting.databaseURL.required(), applicationName: "pulsegate migrate",
                statementTimeout: nil))
        let migrator = Migrator(
            connection: connection, migrations: migrations,
            logger: Logger(label: "migrations") { _ in SwiftLogNoOpLogHandler() })
        do {
            let value = try await body(migrator)
            await connection.close()
            return value
        } catch {
            await connection.close()
            throw error
        }
    }
}
