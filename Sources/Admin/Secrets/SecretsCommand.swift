import ArgumentParser
import Shared

struct SecretsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "secrets", abstract: "Looks after what MASTER_KEY seals.", subcommands: [Rewrap.self])

    struct Rewrap: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Seals every secret anew with the first key of MASTER_KEY.",
            discussion: """
                To change the master key: put the new one before the old one in MASTER_KEY of all processes and restart them, run this, and \
                take the old one out. Can be stopped and run again at any time.
                """)

        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            let box = try SecretBox.fromEnvironment()
            let report = try await SystemDatabase.with { system in
                try await Rewrapping(database: system.database, box: box).run()
            }
            if json {
                try Console.showJSON(report)
            } else {
                Console.showTable(
                    ["key", "rewrapped", "already", "cannot open"],
                    [[report.keyID, "\(report.rewrapped)", "\(report.current)", "\(report.unopened)"]])
            }
            guard report.unopened == 0 else {
                throw Refusal(
                    .conflict,
                    "\(report.unopened) secrets can't be opened with the keys of MASTER_KEY; they are as they were")
            }
        }
    }
}
