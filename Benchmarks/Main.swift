import ArgumentParser
import Foundation

/// `make bench`: Pulsegate beside other ways to do the same work, on one machine and in one run. Absolute figures depend on the
/// machine and its neighbours; read the ratios.
@main
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measures Pulsegate beside its peers.",
        discussion: Section.allCases.map { "\($0.rawValue)  \($0.title)" }.joined(separator: "\n"))

    @Option(help: "Sections to run, as letters with commas.", transform: Bench.sections)
    var only = Section.allCases

    @Option(help: "Seconds of load that are counted for each figure.")
    var seconds = 10.0

    @Option(help: "Connections of the load generator.")
    var connections = 32

    @Option(help: "Samples stored for the filled database; some 9 bytes of disk each, write-ahead log included.")
    var storedSamples = 500_000_000

    @Option(help: "Uplinks stored for the filled database; some kilobyte of disk each, write-ahead log included.")
    var storedUplinks = 10_000_000

    @Flag(help: "Leaves the filled database out.")
    var skipFilled = false

    static func sections(_ letters: String) throws -> [Section] {
        let wanted = try letters.split(separator: ",").map { letter in
            guard let section = Section(rawValue: String(letter)) else {
                throw ValidationError("there is no section \(letter)")
            }
            return section
        }
        return Section.allCases.filter(wanted.contains)
    }

    /// A section that fails is told and makes the run fail, but the others still run.
    func run() async throws {
        let suite = Suite(
            seconds: seconds, connections: connections, storedSamples: storedSamples, storedUplinks: storedUplinks)
        var table = Table()
        var failed = false
        for section in only where section != .filled || !skipFilled {
            let since = ContinuousClock.now
            do {
                table.add(try await suite.run(section))
            } catch {
                failed = true
                table.add([Row(what: section.title, figure: "FAILED", note: "see above")])
                tell("\(section.rawValue) FAILED: \(error)")
            }
            tell("\(section.rawValue) \(section.title): \((ContinuousClock.now - since).components.seconds) s")
        }
        print(table.text)
        if failed { throw ExitCode.failure }
    }

    private func tell(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }
}
