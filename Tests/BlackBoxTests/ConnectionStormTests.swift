import Foundation
import Testing

/// Hundreds of hostile connections at once. What is left of them afterwards is nothing.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct ConnectionStormTests {
    /// Bodies that the process may hold at once.
    private static let bodyBytes = 64 << 20
    /// What the allocator may keep from one storm to the next, bytes: below what a storm that leaves one body in ten behind
    /// would add.
    private static let noise = 16 << 20
    private static let storms = 6

    private enum Hostility: CaseIterable {
        case headTrickles, bodyTrickles, chunksTrickle, silent, resetInBody, closedInBody, tooLarge, bomb, deep,
            unreadable
    }

    @Test func nothingIsLeftOfIt() async throws {
        try await Installation.run { installation in
            let tenant = try await installation.onboard("acme")
            let ingest = try await installation.startIngest([
                "INGEST_BODY_BYTES": "\(Self.bodyBytes)", "REQUEST_HEAD_TIMEOUT": "2", "REQUEST_BODY_TIMEOUT": "5",
                "ANSWER_TIMEOUT": "2",
            ])
            let key = try #require(tenant.storeKeys["T01"])
            let storm = Storm(port: installation.ingestPort, request: RawRequest(key: key))
            // The first ones fill caches, pools and the allocator's arenas; what storm after storm adds to would be a leak.
            var before = Int.max
            var after = try ingest.memory("VmRSS")
            let calm = after
            for _ in 0..<Self.storms where before == .max || after - before > Self.noise {
                before = after
                try await storm.rage(connections: 300)
                #expect(try await installation.ingestIsAtRest())
                after = try ingest.memory("VmRSS")
            }
            #expect(after - before <= Self.noise, "from \(before >> 20) to \(after >> 20) MiB by the last storm")
            let peak = try ingest.memory("VmHWM")
            #expect(peak - calm < 3 * Self.bodyBytes, "\(calm >> 20) MiB, at most \(peak >> 20) MiB")
            #expect(try await installation.post(key: key).status == 200)
            ingest.send(SIGTERM)
            #expect(await ingest.waitForExit() == 0, "\(ingest.output)")
        }
    }

    private struct Storm: Sendable {
        let port: Int
        let request: RawRequest
        let bomb = Gzip.compress(Array(repeating: 0, count: 1 << 20), times: 100)

        func rage(connections: Int) async throws {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<connections {
                    let hostility = Hostility.allCases[number % Hostility.allCases.count]
                    group.addTask {
                        try await RawConnection.to(port) { connection in try await be(hostility, &connection) }
                    }
                }
                try await group.waitForAll()
            }
        }

        private func be(_ hostility: Hostility, _ connection: inout RawConnection) async throws {
            switch hostility {
            case .headTrickles: try await trickle(request.body("{}"), from: 0, "X", &connection)
            case .bodyTrickles: try await trickle(request.head(length: 1_000_000), from: nil, " ", &connection)
            case .chunksTrickle:
                try await trickle(Array(request.chunked([]).dropLast(5)), from: nil, "1\r\n \r\n", &connection)
            case .silent: try await expect([408], &connection, after: Array("POST /v1".utf8))
            case .resetInBody:
                await connection.voice.say(request.body(RawRequest.batch(bytes: 1 << 20)).dropLast(1_000))
                try await connection.reset()
            case .closedInBody:
                await connection.voice.say(request.head(length: 4 << 20) + RawRequest.batch(bytes: 1 << 20))
            case .tooLarge:
                try await expect(
                    [413, 429, 503], &connection, after: request.chunked(RawRequest.batch(bytes: 8 << 20 + 1)))
            case .bomb:
                try await expect(
                    [413, 429, 503], &connection, after: request.with("Content-Encoding: gzip").body(bomb))
            case .deep:
                let deep = String(repeating: "[", count: 1 << 20)
                try await expect([400, 429, 503], &connection, after: request.body(deep))
            case .unreadable: try await expect([400], &connection, after: Array("GET / HTTP/1.1\r\nX : y\r\n\r\n".utf8))
            }
        }

        private func expect(_ statuses: [Int], _ connection: inout RawConnection, after bytes: [UInt8]) async throws {
            await connection.voice.say(bytes)
            // A server that refuses while we are still talking may have to reset the connection, answer and all.
            guard let answer = try await connection.hear() else { return }
            // On a busy machine what we say may come too late for the short time that this process gives.
            #expect(statuses.contains(answer.status) || answer.status == 408, "\(answer.status) \(answer.json)")
            #expect(answer.faultAsProblem == nil)
        }

        /// The same piece for as long as the server listens.
        private func trickle(
            _ head: [UInt8], from start: Int?, _ piece: String, _ connection: inout RawConnection
        ) async throws {
            await connection.voice.say(start == nil ? head : Array(head.prefix(20)))
            let voice = connection.voice
            async let talk: Void = {
                while await voice.say(Array(piece.utf8)) { try await Task.sleep(for: .milliseconds(50)) }
            }()
            let answers = try await connection.hearAll()
            // Where others hold what there is for bodies, one that is on its way may be refused before its time is up.
            let expected = start == nil ? [[408], [429], [503]] : [[408]]
            #expect(expected.contains(answers.map(\.status)), "\(answers.map(\.json))")
            #expect(answers.allSatisfy { $0.faultAsProblem == nil })
            try await talk
        }
    }
}
