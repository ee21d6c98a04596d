import ArgumentParser
import Postgres

struct RolesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "roles", abstract: "Manages the database roles of the processes.", subcommands: [Apply.self])

    struct Apply: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sets the roles' passwords to those in INGEST_, QUERY_ and SYSTEM_DATABASE_URL.",
            discussion: "Needs DATABASE_URL. Only a SCRAM verifier of each password is sent to the server.")

        func run() async throws {
            let logins = try RoleLogin.fromEnvironment()
            let connection = try await PostgresConnection.connect(
                ConnectionConfiguration(url: try EnvironmentSetting.databaseURL.required()))
            do {
                for login in logins { try await login.apply(on: connection) }
                await connection.close()
            } catch {
                await connection.close()
                throw error
            }
            Console.show("passwords set for \(logins.map(\.role).joined(separator: ", "))")
        }
    }
}

/// A login role and the password that a process shows for it.
struct RoleLogin {
    let role: String
    let password: String

    /// Which setting must name which role: a process that ran as another one would see too little or too much.
    static let roles: [(setting: EnvironmentSetting, role: String)] = [
        (.ingestDatabaseURL, "pulsegate_ingest"), (.queryDatabaseURL, "pulsegate_query"),
        (.systemDatabaseURL, "pulsegate_system"),
    ]

    static func fromEnvironment() throws -> [RoleLogin] {
        let logins = try roles.compactMap { setting, role -> RoleLogin? in
            guard let text = try setting.optional() else { return nil }
            let url = try DatabaseURL(text, setting: setting.rawValue)
            guard url.user == role else {
                throw Refusal(.settings, "\(setting.rawValue) must sign in as \(role)")
            }
            guard url.password.utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) else {
                throw Refusal(.settings, "the password in \(setting.rawValue) must be of ASCII characters")
            }
            return RoleLogin(role: role, password: url.password)
        }
        guard !logins.isEmpty else {
            throw Refusal(.settings, "none of \(roles.map(\.setting.rawValue).joined(separator: ", ")) is set")
        }
        return logins
    }

    func apply(on connection: PostgresConnection) async throws {
        let verifier = ScramVerifier(password: password).text
        try await connection.run("ALTER ROLE \(.identifier(role)) WITH LOGIN PASSWORD \(.literal(verifier))")
    }
}
