import Foundation
import Testing

/// More connections than there is room for, by setting or by the system's bound on open files.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct ConnectionLimitTests {
    private static let limit = 20
    private static let request = Array("GET /health-check HTTP/1.1\r\nHost: a\r\n\r\n".utf8)

    /// Holds so many connections, each of which was served, for the time of `body`.
    private func hold(_ count: Int, _ port: Int, _ body: @Sendable () async throws -> Void) async throws {
        guard count > 0 else { return try await body() }
        try await RawConnection.to(port) { connection in
            await connection.voice.say(Self.request)
            #expect(try await connection.hear()?.status == 200)
            try await hold(count - 1, port, body)
        }
    }

    @Test func whoIsOneTooManyIsToldSoAndTheNextOneIsServed() async throws {
        try await Installation.run { installation in
            let ingest = try await installation.startIngest(["INGEST_MAX_CONNECTIONS": "\(Self.limit)"])
            let port = installation.ingestPort
            try await hold(Self.limit - 1, port) {
                try await hold(1, port) {
                    for said in [Self.request, []] {
                        let answers = try await RawConnection.exchange(said, port: port)
                        #expect(answers.map(\.status) == [503])
                        #expect(answers.first?.code == "too_many_connections")
                        #expect(answers.first?.headers["retry-after"] == "1")
                        #expect(answers.first?.headers["connection"] == "close")
                        #expect(answers.allSatisfy { $0.faultAsProblem == nil })
                    }
                    #expect(try await installation.ingestMetric("pulsegate_http_connections") == 20)
                    #expect(try await installation.ingestMetric("pulsegate_http_connections_refused_total") == 2)
                }
                #expect(try await isServed(port), "one has left")
            }
            await ingest.killAndWait()
        }
    }

    /// The server has to learn that somebody left: asks for a while.
    private func isServed(_ port: Int) async throws -> Bool {
        let request = Array("GET /health-check HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".utf8)
        for _ in 0..<100 {
            if try await RawConnection.exchange(request, port: port).first?.status == 200 { return true }
            try await Task.sleep(for: .milliseconds(20))
        }
        return false
    }

    @Test func aProcessWithoutDescriptorsAcceptsAgainWhenItHasSome() async throws {
        try await Installation.run { installation in
            let ingest = try await installation.startIngest()
            let names = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(ingest.processID)/fd")
            let used = Set(names.compactMap { Int($0) })
            try await ingest.limitDescriptors(to: (0...).first { !used.contains($0) } ?? 0)
            let port = installation.ingestPort
            try await withThrowingTaskGroup(of: Int?.self) { group in
                for _ in 0..<40 {
                    group.addTask {
                        try await RawConnection.to(port) { connection in
                            await connection.voice.say(Self.request)
                            return try await connection.hear()?.status
                        }
                    }
                }
                for _ in 0..<600 where !ingest.output.contains("no connection can be accepted") {
                    try await Task.sleep(for: .milliseconds(50)) // its log is all that tells
                }
                #expect(ingest.output.contains("no connection can be accepted"))
                try await ingest.limitDescriptors(to: 1_024)
                for try await status in group { #expect(status == 200) }
            }
            #expect(try await installation.ingestMetric("pulsegate_http_accept_failures_total") ?? 0 > 0)
            ingest.send(SIGTERM)
            #expect(await ingest.waitForExit() == 0)
        }
    }
}

extension ServerProcess {
    /// The soft limit on files that are open.
    fileprivate func limitDescriptors(to count: Int) async throws {
        let change = try ServerProcess(
            executable: "/usr/bin/prlimit", name: "prlimit", arguments: ["--pid", "\(processID)", "--nofile=\(count):"])
        #expect(await change.waitForExit() == 0, "\(change.output)")
    }
}
