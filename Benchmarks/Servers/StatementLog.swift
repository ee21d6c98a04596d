import Foundation
import Postgres

/// What SQL a request runs, read from the server's log, so that it can be run without us: never out of step with the code.
struct StatementLog {
    let laboratory: Laboratory

    /// The statements of the query process while `body` runs that hold a text, with their parameters written into them.
    func statements(holding text: String, _ body: () async throws -> Void) async throws -> [String] {
        let file = try await logFile()
        let start = try Data(contentsOf: file).count
        try await set("0")
        do {
            try await body()
        } catch {
            try await set("-1")
            throw error
        }
        try await set("-1")
        let log = String(decoding: try Data(contentsOf: file).dropFirst(start), as: UTF8.self)
        let found = log.components(separatedBy: "  execute ").dropFirst().map(Self.statement).filter {
            $0.contains(text)
        }
        guard !found.isEmpty else { throw BenchFailure(description: "the server's log holds no \(text)") }
        return found
    }

    /// For the connections that there are and those to come.
    private func set(_ milliseconds: String) async throws {
        _ = try await laboratory.withConnection { connection in
            try await connection.execute(script: "ALTER SYSTEM SET log_min_duration_statement = \(milliseconds)")
            try await connection.run("SELECT pg_reload_conf()")
        }
        try await Task.sleep(for: .milliseconds(500)) // each backend looks at its settings before its next statement
    }

    /// Where `with-postgres` has it: beside the cluster.
    private func logFile() async throws -> URL {
        let directory: String? = try await laboratory.withConnection { try await $0.first("SHOW data_directory") }
        guard let directory else { throw BenchFailure(description: "no data directory") }
        return URL(fileURLWithPath: directory).deletingLastPathComponent().appendingPathComponent("log")
    }

    /// `name: SELECT …`, up to the next entry, and its parameters from the line below.
    private static func statement(_ entry: String) -> String {
        let lines = entry.components(separatedBy: "\n")
        let end = lines.dropFirst().firstIndex { $0.contains(" DETAIL:  ") || $0.contains(" LOG:  ") } ?? lines.count
        var text = lines[..<end].joined(separator: "\n")
        text = text.firstIndex(of: ":").map { String(text[text.index($0, offsetBy: 2)...]) } ?? text
        guard end < lines.count, let parameters = lines[end].range(of: "parameters: ") else { return text }
        var values: [Int: String] = [:]
        var rest = lines[end][parameters.upperBound...]
        while let match = rest.firstMatch(of: /\$(\d+) = ('(?:[^']|'')*'|NULL)(?:, )?/) {
            values[Int(match.output.1) ?? 0] = String(match.output.2)
            rest = rest[match.range.upperBound...]
        }
        return text.replacing(/\$(\d+)/) { values[Int($0.output.1) ?? 0] ?? "NULL" }
    }
}
