import ArgumentParser
import Foundation
import Shared

struct SpoolCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spool", abstract: "Looks after what ingest keeps while the database is away.",
        subcommands: [Inspect.self, Drain.self, Salvage.self])

    struct Inspect: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the segments of a spool.",
            discussion: "Reads only, so the process that has the spool may be running.")

        @Argument(help: "The directory, SPOOL_DIR of the ingest process.")
        var directory: String

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let segments = try reading(directory) { try SpoolSegmentSummary.all(in: $0) }
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

    struct Drain: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Stores what a spool holds, when no ingest process does.",
            discussion: """
                For the disk of a machine that is gone, say. Runs pulsegate-ingest, which lies beside this tool, with \
                SPOOL_DRAIN_ONLY: it needs ingest's settings, and ends when the spool is empty. Exit status 65: parts of it could not \
                be stored and are in the spool's folder `damaged`.
                """)

        @Argument(help: "The directory that was an ingest process's SPOOL_DIR.")
        var directory: String

        func run() throws {
            _ = try reading(directory) { try SpoolSegmentName.all(in: $0) }
            let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
            let program = URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent(
                "pulsegate-ingest")
            setenv("SPOOL_DIR", directory, 1)
            setenv("SPOOL_DRAIN_ONLY", "true", 1)
            var arguments = [strdup(program.path), nil]
            execv(program.path, &arguments)
            throw Refusal(.failed, "can't run \(program.path): \(String(cString: strerror(errno)))")
        }
    }

    struct Salvage: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists, copies or puts back what could not be stored.",
            discussion: """
                A segment with a part that is damaged, or that the database refused, lies in the spool's folder `damaged`; all else in it \
                is stored. Whole records can be put back once their reason is mended; those that are stored already change nothing.
                """)

        @Argument(help: "The directory, SPOOL_DIR of the ingest process.")
        var directory: String

        @Option(help: "Copy each part into a file in this directory, for a person to look at.")
        var to: String?

        @Flag(
            help:
                "Put whole records back into the spool, for the next start of ingest or `spool drain`. Ingest must be stopped."
        )
        var putBack = false

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let parts = try reading(directory) { try SpoolSalvage(directory: $0).parts() }
            if let to {
                let count = try reading(directory) {
                    try SpoolSalvage(directory: $0).copy(to: URL(fileURLWithPath: to))
                }
                Console.complain("\(count) parts copied to \(to)")
            }
            if putBack {
                let count = try reading(directory) { try SpoolSalvage(directory: $0).putBack() }
                Console.complain("\(count) records put back")
            }
            if json { return try Console.showJSON(parts) }
            Console.showTable(
                ["segment", "offset", "bytes", "tenant", "arrived", "sender"],
                parts.map {
                    [
                        $0.segment, "\($0.offset)", "\($0.bytes)", $0.record?.tenant ?? "damaged",
                        $0.record?.arrivedAt ?? "", $0.record?.sender ?? "",
                    ]
                })
        }
    }
}

/// - Throws: `Refusal` in words, where a file or directory can't be read.
private func reading<Value>(_ directory: String, _ read: (URL) throws -> Value) throws -> Value {
    do {
        return try read(URL(fileURLWithPath: directory))
    } catch let error as CocoaError {
        throw Refusal(.data, "\(directory) can't be read: \(error.localizedDescription)")
    }
}
