import Foundation

/// What a run of the benchmarks found to be wrong.
struct BenchFailure: Error, CustomStringConvertible {
    let description: String
}

enum Shell {
    /// Runs a program to its end and returns its standard output; its standard error is ours.
    @discardableResult
    static func run(_ name: String, _ arguments: [String], environment: [String: String] = [:]) async throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [name] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, ours in ours }
        let output = Pipe()
        process.standardOutput = output
        let (ends, ended) = AsyncStream.makeStream(of: Int32.self)
        process.terminationHandler = { ended.yield($0.terminationStatus) }
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        let status = await ends.first { _ in true }
        guard status == 0 else {
            throw BenchFailure(description: "\(name) \(arguments.first ?? "") ended with \(status ?? -1)")
        }
        return String(decoding: data, as: UTF8.self)
    }

    /// Bytes that the files below a directory take on the disk.
    static func diskUsage(of directory: URL) async throws -> Int {
        let output = try await run("du", ["-s", "--block-size=1", directory.path])
        return output.split(separator: "\t").first.flatMap { Int($0) } ?? 0
    }
}

extension String {
    /// The word that follows a label.
    func word(after label: String) -> String? {
        range(of: label).flatMap { self[$0.upperBound...].split(whereSeparator: \.isWhitespace).first.map(String.init) }
    }
}
