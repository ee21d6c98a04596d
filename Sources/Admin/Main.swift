import ArgumentParser
import Foundation
import Postgres
import Shared

/// `pulsegate`: migrates the database, onboards tenants, issues keys, imports devices, and says what is wrong.
@main
struct Pulsegate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pulsegate",
        abstract: "Operates a Pulsegate installation.",
        discussion: """
            Connections come from the environment: DATABASE_URL (a superuser, or an owner with CREATEROLE) for migrate and \
            roles, SYSTEM_DATABASE_URL for everything else. NAME_FILE names a file that holds NAME.

            Exit status: 0 done, 1 refused, 64 wrong usage, 65 wrong data, 69 no connection, 70 failed, 78 wrong settings.
            """,
        subcommands: [
            MigrateCommand.self, RolesCommand.self, TenantCommand.self, KeyCommand.self, IntegrationCommand.self,
            SecretsCommand.self, JobCommand.self,
            DeviceCommand.self, SpoolCommand.self, DoctorCommand.self, DemoCommand.self,
        ])

    static func main() async {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            if let refusal = Refusal(error) { refusal.exit() }
            exit(withError: error)
        }
    }
}
