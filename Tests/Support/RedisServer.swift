import Foundation

/// A Redis of the test's own, on loopback.
package final class RedisServer: Sendable {
    package struct DidNotStart: Error {}

    package static let password = "a password of the tests"

    package let port: Int
    private let process: Process

    package var url: String {
        "redis://:\(Self.password.replacing(" ", with: "%20"))@127.0.0.1:\(port)/1"
    }

    private init(port: Int) throws {
        self.port = port
        process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/redis-server")
        process.arguments = [
            "--port", "\(port)", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--requirepass",
            Self.password,
            "--dir", FileManager.default.temporaryDirectory.path,
        ]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        var log = ""
        while !log.contains("Ready to accept connections") {
            let data = output.fileHandleForReading.availableData
            guard !data.isEmpty else { throw DidNotStart() } // it ended
            log += String(decoding: data, as: UTF8.self)
        }
    }

    /// - Parameter port: nil for any that is free.
    package static func run<Value>(
        port: Int? = nil, _ body: (RedisServer) async throws -> Value
    ) async throws -> Value {
        let server = try RedisServer(port: try port ?? FreePorts.take(1)[0])
        defer { server.end() }
        return try await body(server)
    }

    /// It keeps its connections, and answers nothing.
    package func pause() { kill(process.processIdentifier, SIGSTOP) }
    package func goOn() { kill(process.processIdentifier, SIGCONT) }

    package func end() {
        guard process.isRunning else { return }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }
}
