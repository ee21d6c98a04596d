import Foundation

/// The ingest of a soak, whichever process that is just now.
actor IngestKeeper {
    private let installation: Installation
    private let settings: [String: String]
    private var process: ServerProcess
    private var isReplacing = false

    init(_ installation: Installation, _ settings: [String: String]) async throws {
        (self.installation, self.settings) = (installation, settings)
        process = try await installation.startIngest(settings)
    }

    /// Its processes follow each other at once: the next may find no database, and be ready only later.
    func kill() async throws {
        try await replace {
            await process.killAndWait()
        }
    }

    func restart() async throws {
        try await replace {
            process.send(SIGTERM)
            let status = await process.waitForExit()
            // One that was started a moment ago may be told before it listens to signals: it has done nothing, and said nothing.
            let hasNotBegun = status == SIGTERM && process.output.isEmpty
            guard status == 0 || hasNotBegun else { throw Ended(status: status, log: process.output) }
        }
    }

    private func replace(_ end: () async throws -> Void) async throws {
        isReplacing = true
        defer { isReplacing = false }
        try await end()
        process = try installation.launchIngest(settings)
    }

    /// The last fault may have been its end.
    func waitUntilReady() async throws {
        try await process.waitUntilReady(adminPort: installation.ingestAdminPort, installation.client)
    }

    func end() async {
        await process.killAndWait()
    }

    /// Of the process that runs; nil while none does.
    /// - Throws: ``Ended``, when it ended by itself.
    func figures() throws -> SoakFigures? {
        guard !isReplacing else { return nil }
        guard !process.hasEnded else { throw Ended(status: -1, log: process.output) }
        let temporaryFiles = try settings["TMPDIR"].map {
            try FileManager.default.contentsOfDirectory(atPath: $0).count
        }
        return SoakFigures(
            process: process.processID, at: .now, residentBytes: try process.memory("VmRSS"),
            descriptors: try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process.processID)/fd").count,
            temporaryFiles: temporaryFiles ?? 0)
    }

    struct Ended: Error, CustomStringConvertible {
        let status: Int32
        let log: String
        var description: String { "ingest ended with \(status):\n\(log.suffix(4_000))" }
    }
}
