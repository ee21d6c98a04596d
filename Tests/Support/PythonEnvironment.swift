import Foundation

/// Python packages of others, which say whether what we write is what the world reads. Installed once below `.build/`.
package struct PythonEnvironment: Sendable {
    package struct Failed: Error, CustomStringConvertible {
        package let description: String
    }

    private let python: String

    /// - Parameter requirement: `icalendar==6.3.1`. One environment each, so that they don't have to agree with each other.
    package static func with(_ requirement: String) async throws -> PythonEnvironment {
        try await environments.environment(requirement)
    }

    /// Runs a script.
    /// - Returns: what it printed.
    package func run(_ script: String, input: Data) async throws -> Data {
        try await Self.run(python, ["-c", script], input: input)
    }

    private static let environments = Environments()

    /// Who asks at the same time waits for the one who came first.
    private actor Environments {
        private var made: [String: Task<PythonEnvironment, any Error>] = [:]

        func environment(_ requirement: String) async throws -> PythonEnvironment {
            let task = made[requirement] ?? Task { try await PythonEnvironment.make(requirement) }
            made[requirement] = task
            return try await task.value
        }
    }

    private static func make(_ requirement: String) async throws -> PythonEnvironment {
        let root = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let folder = root.appendingPathComponent(".build/python/\(requirement)")
        let (python, done) = (
            folder.appendingPathComponent("bin/python3").path, folder.appendingPathComponent("done").path
        )
        if !FileManager.default.fileExists(atPath: done) {
            _ = try await run("/usr/bin/env", ["python3", "-m", "venv", "--clear", folder.path])
            _ = try await run(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", requirement])
            try Data().write(to: URL(fileURLWithPath: done))
        }
        return PythonEnvironment(python: python)
    }

    /// Through files: whoever waits for a pipe blocks a thread that others need.
    private static func run(_ program: String, _ arguments: [String], input: Data = Data()) async throws -> Data {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("python-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let files = ["in", "out", "err"].map { folder.appendingPathComponent($0) }
        try input.write(to: files[0])
        for file in files.dropFirst() { try Data().write(to: file) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardInput = try FileHandle(forReadingFrom: files[0])
        process.standardOutput = try FileHandle(forWritingTo: files[1])
        process.standardError = try FileHandle(forWritingTo: files[2])
        let (ends, ended) = AsyncStream.makeStream(of: Int32.self)
        process.terminationHandler = { ended.yield($0.terminationStatus) }
        try process.run()
        let status = await ends.first { _ in true }
        guard status == 0 else {
            let complaint = String(decoding: try Data(contentsOf: files[2]), as: UTF8.self)
            throw Failed(description: "\(program) \(arguments.first ?? ""): \(status ?? -1)\n\(complaint)")
        }
        return try Data(contentsOf: files[1])
    }
}
