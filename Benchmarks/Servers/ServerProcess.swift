import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// A server that we started: stopped by its id alone, and by the kernel should we be killed.
final class ServerProcess: Sendable {
    let name: String
    let processID: Int32
    private let log: URL
    private let exit: Task<Void, Never>

    private init(name: String, processID: Int32, log: URL, exit: Task<Void, Never>) {
        self.name = name
        self.processID = processID
        self.log = log
        self.exit = exit
    }

    /// - Parameters:
    ///   - command: the program and its arguments.
    ///   - folder: where it writes its log, which is shown when it fails.
    static func start(
        _ name: String, _ command: [String], environment: [String: String] = [:], folder: URL
    ) async throws -> ServerProcess {
        let log = folder.appendingPathComponent("\(name).log")
        guard FileManager.default.createFile(atPath: log.path, contents: nil) else {
            throw BenchFailure(description: "no log at \(log.path)")
        }
        let (ends, ended) = AsyncStream.makeStream(of: Void.self)
        let processID = try await withCheckedThrowingContinuation { started in
            // A thread that lives as long as the process: the kernel's signal comes when the thread ends that started it.
            Thread.detachNewThread {
                do {
                    let process = try launch(command, environment, log)
                    started.resume(returning: process.processIdentifier)
                    process.waitUntilExit()
                } catch {
                    started.resume(throwing: error)
                }
                ended.finish()
            }
        }
        return ServerProcess(name: name, processID: processID, log: log, exit: Task { for await _ in ends {} })
    }

    private static func launch(_ command: [String], _ environment: [String: String], _ log: URL) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["setpriv", "--pdeathsig", "TERM"] + command
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, ours in ours }
        let output = try FileHandle(forWritingTo: log)
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        try process.run()
        return process
    }

    /// Asks until the answer is 2xx.
    private func untilReady(_ url: String) async throws {
        for _ in 0..<600 where kill(processID, 0) == 0 {
            // Between two questions: readiness has no signal across processes.
            if let answer = try? await Web.get(url), answer.isGood { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw BenchFailure(description: "\(name) did not become ready")
    }

    /// The end of what it wrote to its log.
    var lastWords: String {
        String(((try? String(contentsOf: log, encoding: .utf8)) ?? "").suffix(4_000))
    }

    /// Largest resident memory so far, bytes (VmHWM).
    var peakMemory: Int {
        let status = (try? String(contentsOfFile: "/proc/\(processID)/status", encoding: .utf8)) ?? ""
        return (status.word(after: "VmHWM:").flatMap(Int.init) ?? 0) * 1_024
    }

    /// Waits until it is ready, runs `body`, and stops it whatever came of that.
    func whileRunning<Value: Sendable>(_ readyURL: String, _ body: () async throws -> Value) async throws -> Value {
        do {
            try await untilReady(readyURL)
            let value = try await body()
            await stop()
            return value
        } catch {
            await stop()
            throw BenchFailure(description: "\(error)\n\(name)'s log ends with:\n\(lastWords)")
        }
    }

    /// Asks it to end and waits; after 30 s it is ended.
    private func stop() async {
        kill(processID, SIGTERM)
        let impatience = Task {
            try await Task.sleep(for: .seconds(30))
            kill(processID, SIGKILL)
        }
        await exit.value
        impatience.cancel()
    }
}

/// Single requests, where nothing is measured.
enum Web {
    struct Answer: Sendable {
        let status: Int
        let text: String
        var isGood: Bool { status / 100 == 2 }
    }

    static func get(_ url: String, headers: [String: String] = [:]) async throws -> Answer {
        try await send(HTTPClientRequest(url: url), headers)
    }

    static func post(
        _ url: String, _ body: String, contentType: String, headers: [String: String] = [:]
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.body = .bytes(ByteBuffer(string: body))
        return try await send(request, headers.merging(["Content-Type": contentType]) { $1 })
    }

    private static func send(_ request: HTTPClientRequest, _ headers: [String: String]) async throws -> Answer {
        var request = request
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
        let body = try await response.body.collect(upTo: 64 << 20)
        return Answer(status: Int(response.status.code), text: String(buffer: body))
    }
}
