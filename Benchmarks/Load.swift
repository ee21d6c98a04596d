import Foundation

/// What the load generator is asked for, and what it found.
struct Load: Sendable {
    let seconds: Int
    let connections: Int

    struct Run: Sendable {
        let perSecond: Double
        let p50: String
        let p99: String
        /// Answers that were not 2xx.
        let failures: Int
        /// Largest resident memory of the ingest process, MiB.
        var memory = 0
    }

    struct Failed: Error, CustomStringConvertible {
        let description: String
    }

    /// Runs wrk with a script that makes each request; one thread, so that the measured processes keep the other core.
    func run(url: String, script: URL) async throws -> Run {
        let output = try await Shell.run(
            "wrk",
            ["-t1", "-c\(connections)", "-d\(seconds)s", "--latency", "--timeout", "10s", "-s", script.path, url])
        guard let rate = output.field(after: "Requests/sec:").flatMap(Double.init) else {
            throw Failed(description: "wrk said: \(output)")
        }
        let failures = output.field(after: "Non-2xx or 3xx responses:").flatMap(Int.init) ?? 0
        let distribution = output.range(of: "Latency Distribution").map { String(output[$0.upperBound...]) } ?? ""
        return Run(
            perSecond: rate, p50: distribution.field(after: "50%") ?? "?", p99: distribution.field(after: "99%") ?? "?",
            failures: failures)
    }
}

extension String {
    /// The word that follows a label.
    func field(after label: String) -> String? {
        range(of: label).flatMap { self[$0.upperBound...].split(whereSeparator: \.isWhitespace).first.map(String.init) }
    }
}

enum Shell {
    struct Failed: Error, CustomStringConvertible {
        let description: String
    }

    /// Runs a program to its end and returns its standard output.
    static func run(_ name: String, _ arguments: [String], environment: [String: String] = [:]) async throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [name] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, ours in ours }
        let output = Pipe()
        process.standardOutput = output
        let ended = AsyncStream.makeStream(of: Int32.self)
        process.terminationHandler = { ended.continuation.yield($0.terminationStatus) }
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        for await status in ended.stream {
            guard status == 0 else { throw Failed(description: "\(name) ended with \(status)") }
            break
        }
        return String(decoding: data, as: UTF8.self)
    }
}
