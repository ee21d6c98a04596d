import ArgumentParser
import Foundation
import Shared

struct SpoolCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spool", abstract: "Looks into what ingest keeps while the database is away.",
        subcommands: [Inspect.self])

    struct Inspect: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the segments of a spool.",
            discussion: "Reads only, so the process that has the spool may be running.")

        @Argument(help: "The directory, SPOOL_DIR of the ingest process.")
        var directory: String

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let segments: [SpoolSegmentSummary]
            do {
                segments = try SpoolSegmentSummary.all(in: URL(fileURLWithPath: directory))
            } catch let error as CocoaError {
                throw Refusal(.data, "\(directory) can't be read: \(error.localizedDescription)")
            }
            if json { return try Console.showJSON(segments) }
            Console.showTable(
                ["segment", "bytes", "records", "batches", "webhooks", "damaged", "oldest", "tenants"],
                segments.map {
                    [
                        $0.segment, "\($0.bytes)", "\($0.records)", "\($0.batches)", "\($0.webhooks)", "\($0.damaged)",
                        $0.oldest ?? "",
                        $0.tenants.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
                            .joined(separator: ", "),
                    ]
                })
        }
    }
}
