import Hummingbird
import HummingbirdCore
import HummingbirdTesting
import Logging
import Testing

@testable import Shared

struct UnreadableRequestsTests {
    private let metrics = MetricRegistry()

    private func exchange(_ text: String, _ deadlines: RequestDeadlines.Limits = .init()) async throws -> String {
        let router = Router(context: AnonymousRequestContext.self)
        router.post("/echo") { request, context in
            String(buffer: try await request.decodedBody(limit: 100, context: context))
        }
        let application = Application(
            router: HTTPEdge(router, metrics: metrics),
            server: HTTPServerBuilder { [metrics] responder in
                PublicListener.connections(
                    idleTimeout: .milliseconds(50), deadlines: deadlines, drain: DrainMarker(), metrics: metrics,
                    responder: responder)
            },
            configuration: .init(address: .hostname("127.0.0.1", port: 0)))
        return try await application.test(.live) { client in
            try await RawExchange.send(text, port: try #require(client.port))
        }
    }

    @Test(arguments: [
        ("GARBAGE\r\n\r\n", "501", "unknown_method"),
        ("FETCH /echo HTTP/1.1\r\nHost: a\r\n\r\n", "501", "unknown_method"),
        ("GET /echo HTTP/9.x\r\nHost: a\r\n\r\n", "400", "malformed_request"),
        ("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1x\r\n\r\nab", "400", "malformed_request"),
        ("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", "400", "malformed_request"),
        (
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "400", "malformed_request"
        ),
        (
            "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n0\r\n\r\n",
            "400", "malformed_request"
        ),
        (
            "GET /echo HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "x", count: 90_000))\r\n\r\n", "431",
            "header_too_large"
        ),
    ]) func whatIsNoRequestGetsAProblem(_ text: String, _ status: String, _ code: String) async throws {
        let answer = try await exchange(text)
        #expect(answer.hasPrefix("HTTP/1.1 \(status) "))
        #expect(answer.contains("Content-Type: application/problem+json\r\n"))
        #expect(answer.contains("Connection: close\r\n"))
        #expect(answer.contains("\"code\":\"\(code)\""))
        let id = try #require(answer.firstMatch(of: /x-request-id: ([0-9a-f-]{36})\r\n/.ignoresCase())).1
        #expect(answer.contains("\"request_id\":\"\(id)\""))
        #expect(answer.matches(of: /HTTP\/1\.1 \d/).count == 1)
        #expect(metrics.exposition().contains("pulsegate_http_unreadable_requests_total 1"))
    }

    @Test func requestsBeforeItAreAnsweredFirst() async throws {
        let good = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"
        let answer = try await exchange(good + good + "NONSENSE\r\n\r\n")
        let statuses = answer.matches(of: /HTTP\/1\.1 (\d+)/).map { String($0.1) }
        #expect(statuses == ["200", "200", "501"])
    }

    @Test(arguments: [
        "POST /echo HTTP/1.1\r\nHost: a", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
    ]) func whoStopsInTheMiddleGetsAProblem(_ text: String) async throws {
        let soon = Duration.milliseconds(10)
        let answer = try await exchange(text, .init(head: soon, body: soon, answer: soon, lingering: .seconds(20)))
        #expect(answer.hasPrefix("HTTP/1.1 408 "))
        #expect(answer.contains("Content-Type: application/problem+json\r\n"))
        #expect(answer.contains("Connection: close\r\n"))
        #expect(answer.contains("\"code\":\"request_timeout\""))
        #expect(answer.matches(of: /HTTP\/1\.1 \d/).count == 1)
        #expect(metrics.exposition().contains("pulsegate_http_unreadable_requests_total 0"))
    }

    @Test func whoWaitsBeforeTheBodyIsToldToGoOn() async throws {
        let answer = try await exchange(
            "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\nExpect: 100-Continue\r\n\r\nhi"
        )
        #expect(answer.hasPrefix("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"))
        #expect(answer.hasSuffix("hi"))
    }
}
