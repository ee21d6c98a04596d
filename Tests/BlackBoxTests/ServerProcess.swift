import Foundation
import Synchronization

/// One of our executables, running for real. Ended by its id alone.
final class ServerProcess: Sendable {
    struct DidNotStart: Error, CustomStringConvertible {
        let name: String
        let log: String
        var description: String { "\(name) did not become ready:\n\(log)" }
    }

    let name: String
    let processID: Int32
    private let log: URL
    private let exit: ExitStatus

    /// Where `swift build` put the executables of this test run.
    static let binaries: URL = {
        if let path = ProcessInfo.processInfo.environment["PULSEGATE_BINARIES"] { return URL(fileURLWithPath: path) }
        return repository.appendingPathComponent(".build/debug")
    }()

    static let repository = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// - Parameters:
    ///   - setUp: what a shell does before it becomes the process, such as `ulimit`.
    ///   - socket: handed over as systemd would.
    convenience init(
        _ name: String, arguments: [String] = [], environment: [String: String], after setUp: String? = nil,
        listeningOn socket: ListeningSocket? = nil
    ) throws {
        let path = Self.binaries.appendingPathComponent(name).path
        // Foundation closes all descriptors but the first three.
        let taking = socket.map { _ in "exec 3<&0 </dev/null; export LISTEN_PID=$$ LISTEN_FDS=1" }
        let shell = [setUp, taking].compactMap { $0 }.joined(separator: "\n")
        try self.init(
            executable: shell.isEmpty ? path : "/bin/bash", name: name,
            arguments: (shell.isEmpty ? [] : ["-c", shell + "\nexec \"$@\"", name, path]) + arguments,
            environment: environment,
            standardInput: socket.map { FileHandle(fileDescriptor: $0.descriptor, closeOnDealloc: false) })
    }

    init(
        executable: String, name: String, arguments: [String], environment: [String: String] = [:],
        standardInput: FileHandle? = nil
    ) throws {
        self.name = name
        log = FileManager.default.temporaryDirectory.appendingPathComponent("\(name)-\(UUID().uuidString).log")
        guard FileManager.default.createFile(atPath: log.path, contents: nil) else {
            throw CocoaError(.fileWriteUnknown)
        }
        let output = try FileHandle(forWritingTo: log)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: executable)
        process.arguments = arguments
        process.environment = ["PATH": "/usr/bin:/bin", "LOG_LEVEL": "info"].merging(environment) { _, ours in ours }
        process.standardOutput = output
        process.standardError = output
        if let standardInput { process.standardInput = standardInput }
        process.currentDirectoryURL = Self.repository
        let exit = ExitStatus()
        process.terminationHandler = { exit.set($0.terminationStatus) }
        try process.run()
        self.exit = exit
        processID = process.processIdentifier
    }

    deinit {
        send(SIGKILL)
        try? FileManager.default.removeItem(at: log)
    }

    /// What it wrote to stdout and stderr so far.
    var output: String {
        (try? String(contentsOf: log, encoding: .utf8)) ?? ""
    }

    /// Does nothing once it has ended: its id may be somebody else's by then.
    func send(_ signal: Int32) {
        guard !exit.isSet else { return }
        kill(processID, signal)
    }

    var hasEnded: Bool { exit.isSet }

    /// Waits for the end; killed ones have the signal as their status.
    func waitForExit() async -> Int32 {
        await exit.wait()
    }

    func killAndWait() async {
        send(SIGKILL)
        _ = await waitForExit()
    }

    /// Asks until the admin port says ready.
    /// - Throws: `DidNotStart` with its log when it ended, or is not ready within a minute.
    func waitUntilReady(adminPort: Int, _ client: TestClient) async throws {
        for _ in 0..<600 {
            if exit.isSet { break }
            if await client.status(of: "http://127.0.0.1:\(adminPort)/ready") == 200 { return }
            // Between two questions: readiness has no signal across processes.
            try await Task.sleep(for: .milliseconds(100))
        }
        throw DidNotStart(name: name, log: output)
    }
}

/// A process's end, awaited by any number of tasks.
private final class ExitStatus: Sendable {
    private struct State {
        var status: Int32?
        var waiters: [CheckedContinuation<Int32, Never>] = []
    }

    private let state = Mutex(State())

    var isSet: Bool { state.withLock { $0.status != nil } }

    func set(_ status: Int32) {
        let waiters = state.withLock { state in
            state.status = status
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume(returning: status) }
    }

    func wait() async -> Int32 {
        await withCheckedContinuation { waiter in
            let status = state.withLock { state in
                if state.status == nil { state.waiters.append(waiter) }
                return state.status
            }
            if let status { waiter.resume(returning: status) }
        }
    }
}
