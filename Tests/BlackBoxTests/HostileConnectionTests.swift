import Foundation
import Testing

/// Connections that break the rules of HTTP, or the patience of a server, against the real process.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct HostileConnectionTests {
    private static let bad: [(name: String, text: String)] = [
        ("garbage", "\u{1}\u{2}\u{3}\r\n\r\n"), ("unknown method", "FETCH / HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("HTTP/2 without asking", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), ("no version", "GET /\r\n\r\n"),
        ("TLS", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}\u{FC}\u{3}\u{3}\r\n\r\n"),
        (
            "length and chunks",
            "POST /v1/metrics/batch HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        ),
        (
            "two lengths",
            "POST /v1/metrics/batch HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"
        ),
        ("a length that is none", "POST /v1/metrics/batch HTTP/1.1\r\nHost: a\r\nContent-Length: 1x\r\n\r\nab"),
        ("a negative length", "POST /v1/metrics/batch HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n"),
        (
            "a length beyond counting",
            "POST /v1/metrics/batch HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n"
        ),
        ("a header without a name", "GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n"),
        ("NUL in a header", "GET / HTTP/1.1\r\nHost: a\r\nX: a\u{0}b\r\n\r\n"),
        ("space before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
        ("an endless header", "GET / HTTP/1.1\r\nX: " + String(repeating: "x", count: 200_000) + "\r\n\r\n"),
        ("endless headers", "GET / HTTP/1.1\r\n" + (0..<20_000).map { "X\($0): x\r\n" }.joined() + "\r\n"),
        ("an endless address", "GET /" + String(repeating: "x", count: 300_000) + " HTTP/1.1\r\n\r\n"),
    ]

    @Test func whatIsNoRequestIsRefusedAndTheConnectionClosed() async throws {
        try await Installation.run { installation in
            let tenant = try await installation.onboard("acme")
            let ingest = try await installation.startIngest()
            let request = RawRequest(key: try #require(tenant.storeKeys["T01"]))
            let chunks = String(decoding: request.chunked(Array("abc".utf8)), as: UTF8.self)
            let framing = [
                ("a chunk's length that is none", chunks.replacing("\r\n3\r\n", with: "\r\nzz\r\n")),
                ("a chunk longer than its length", chunks.replacing("\r\n3\r\n", with: "\r\n2\r\n")),
                ("a chunk beyond counting", chunks.replacing("\r\n3\r\n", with: "\r\nfffffffffffffffff\r\n")),
            ]
            for (name, text) in Self.bad + framing {
                let answers = try await RawConnection.exchange(Array(text.utf8), port: installation.ingestPort)
                #expect(answers.count == 1, "\(name): one answer, then the end")
                #expect(answers.first.map { (400...501).contains($0.status) && $0.status != 500 } == true, "\(name)")
                #expect(answers.first?.faultAsProblem == nil, "\(name)")
                #expect(answers.first?.headers["connection"] == "close", "\(name)")
            }
            #expect(try await installation.ingestIsAtRest())
            let answer = try await installation.post(key: request.key)
            #expect(answer.status == 200, "others are served as ever")
            await ingest.killAndWait()
        }
    }

    @Test func orderlyOddities() async throws {
        try await Installation.run { installation in
            let tenant = try await installation.onboard("acme")
            let ingest = try await installation.startIngest()
            let request = RawRequest(key: try #require(tenant.storeKeys["T01"]))
            let port = installation.ingestPort
            try await pipelinedRequestsAreAnsweredInOrder(request, port)
            try await whoClosesItsSideIsAnswered(request, port)
            try await answersComeBeforeBodiesThatNobodyWants(request, port)
            #expect(try await installation.ingestIsAtRest())
            ingest.send(SIGTERM)
            #expect(await ingest.waitForExit() == 0)
        }
    }

    /// Asks and asks and never listens: when nobody takes the answers, there is a time when it ends.
    @Test func whoNeverListensIsCutOff() async throws {
        try await Installation.run { installation in
            let ingest = try await installation.startIngest(["ANSWER_TIMEOUT": "1"])
            try await RawConnection.to(installation.ingestPort) { connection in
                let questions = repeatElement(Array("GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n".utf8), count: 1_000)
                    .joined()
                while await connection.voice.say(Array(questions)) {}
                await connection.closed()
            }
            #expect(try await installation.ingestMetric(#"pulsegate_http_slow_clients_total{phase="answer"}"#) == 1)
            #expect(try await installation.ingestIsAtRest())
            await ingest.killAndWait()
        }
    }

    private func pipelinedRequestsAreAnsweredInOrder(_ request: RawRequest, _ port: Int) async throws {
        let requests = (0..<10).flatMap { number in
            let body = number % 3 == 1 ? Array("no JSON".utf8) : RawRequest.batch(value: number)
            let named = request.with("X-Request-Id: request-\(number)")
            return number % 2 == 0 ? named.body(body) : named.chunked(body)
        }
        let answers = try await RawConnection.to(port) { connection in
            await connection.voice.say(requests)
            var answers: [RawAnswer] = []
            while answers.count < 10, let answer = try await connection.hear() { answers.append(answer) }
            return answers
        }
        #expect(answers.map { $0.headers["x-request-id"] } == (0..<10).map { "request-\($0)" })
        #expect(answers.map(\.status) == (0..<10).map { $0 % 3 == 1 ? 400 : 200 })
    }

    private func whoClosesItsSideIsAnswered(_ request: RawRequest, _ port: Int) async throws {
        let whole = request.body(RawRequest.batch(value: 77))
        let answers = try await RawConnection.to(port) { connection in
            await connection.voice.say(whole)
            connection.voice.end()
            return try await connection.hearAll()
        }
        #expect(answers.map(\.status) == [200])
        let cut = try await RawConnection.to(port) { connection in
            await connection.voice.say(whole.dropLast())
            connection.voice.end()
            return try await connection.hearAll()
        }
        #expect(cut.allSatisfy { (400..<500).contains($0.status) }, "half a body is no body: \(cut.map(\.status))")
    }

    /// Refused by its head alone, and the connection serves the next request.
    private func answersComeBeforeBodiesThatNobodyWants(_ request: RawRequest, _ port: Int) async throws {
        let statuses = try await RawConnection.to(port) { connection in
            await connection.voice.say(RawRequest(key: "wrong").head(length: 3))
            let refused = try await connection.hear()
            await connection.voice.say(Array("abc".utf8) + request.body(RawRequest.batch()))
            return [refused?.status, try await connection.hear()?.status]
        }
        #expect(statuses == [401, 200])
    }
}

extension Installation {
    /// A batch as every gateway sends it.
    func post(key: String) async throws -> TestClient.Answer {
        try await client.post(
            ingestURL + "/v1/metrics/batch", json: ["metrics": [["name": "a", "value": 1]]],
            headers: ["Authorization": "Bearer \(key)"])
    }
}
