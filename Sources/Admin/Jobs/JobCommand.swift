import ArgumentParser
import Foundation

struct JobCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "job", abstract: "Runs a job by hand, or lists them.",
        discussion: """
            Runs pulsegate-query, which lies beside this tool or in PATH: it needs SYSTEM_DATABASE_URL alone. A job that is run \
            by hand beside the process that leads does no harm. Exit status 1: the job failed.
            """)

    @Argument(help: "The job's name; without it jobs are listed with their last runs.")
    var name: String?

    @Option(help: "What time it is to be held to be, such as 2026-11-22T00:00:00Z.")
    var at: String?

    func run() throws {
        var words = ["pulsegate-query", "job"]
        if let name { words.append(name) }
        if let at { words += ["--at", at] }
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let beside = URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent(words[0]).path
        var arguments = words.map { strdup($0) } + [nil]
        execv(beside, &arguments)
        execvp(words[0], &arguments)
        throw Refusal(.failed, "can't run \(words[0]): \(String(cString: strerror(errno)))")
    }
}
