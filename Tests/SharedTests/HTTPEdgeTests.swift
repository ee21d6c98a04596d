import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import Postgres
import Testing

@testable import Shared

struct HTTPEdgeTests {
    private struct Secretive: Error, CustomStringConvertible {
        let description = "password is hunter2"
    }

    private struct Body: Decodable {
        let type: String
        let title: String
        let status: Int
        let detail: String
        let code: String
        let request_id: String
        let errors: [[String: String]]?
    }

    private let log = RecordedLog()
    private let metrics = MetricRegistry()

    private var application: some ApplicationProtocol {
        let router = Router(context: AnonymousRequestContext.self, options: .autoGenerateHeadEndpoints)
        router.get("/sites") { _, _ in try JSONResponse.make(["ok": true]) }
        router.post("/sites") { request, context in
            String(buffer: try await request.decodedBody(limit: 10, context: context))
        }
        router.get("/sites/:id") { _, context -> Response in
            context.notes.tenantSlug = "acme"
            throw Problem.notFound("site")
        }
        router.delete("/sites/:id") { _, _ in HTTPResponse.Status.noContent }
        router.get("/broken") { _, _ -> String in throw Secretive() }
        router.get("/forgotten/:id") { _, context -> String in try context.parameters.require("nothing") }
        router.get("/away") { _, _ -> String in throw PostgresError(kind: .poolExhausted, message: "10 waiting") }
        return Application(
            router: HTTPEdge(router, metrics: metrics),
            logger: Logger(label: "test") { [log] in log.handler($0) })
    }

    private func problem(_ response: TestResponse) throws -> Body {
        #expect(response.headers[.contentType] == "application/problem+json")
        let body = try JSONDecoder().decode(Body.self, from: Data(response.body.readableBytesView))
        #expect(body.status == response.status.code)
        #expect(body.type == "/problems/" + body.code)
        #expect(body.request_id == response.headers[.requestID])
        return body
    }

    @Test func everyResponseHasARequestID() async throws {
        try await application.test(.router) { client in
            for sane in ["abc", "A.b_c-1", String(repeating: "x", count: 128)] {
                let response = try await client.send(.get, "/sites", [.requestID: sane])
                #expect(response.headers[.requestID] == sane)
                #expect(response.status == .ok)
            }
            for insane in ["", "a b", "a\tb", "é", "a/b", String(repeating: "x", count: 129)] {
                let response = try await client.send(.get, "/none", [.requestID: insane])
                let id = try #require(response.headers[.requestID])
                #expect(UUID(uuidString: id) != nil, "\(insane) became \(id)")
            }
        }
    }

    @Test func unknownPathsAndWrongMethods() async throws {
        try await application.test(.router) { client in
            let missing = try await client.send(.get, "/nowhere")
            #expect(missing.status == .notFound)
            #expect(try problem(missing).code == "not_found")

            let wrong = try await client.send(.delete, "/sites")
            #expect(wrong.status == .methodNotAllowed)
            #expect(wrong.headers[.allow] == "GET, HEAD, POST")
            #expect(try problem(wrong).code == "method_not_allowed")

            let below = try await client.send(.put, "/sites/7")
            #expect(below.headers[.allow] == "DELETE, GET, HEAD")
            let deeper = try await client.send(.put, "/sites/7/x")
            #expect(deeper.status == .notFound)
            #expect(try await client.send(.delete, "/sites/7").status == .noContent)
        }
    }

    @Test func aForeignRowLooksLikeAMissingOne() async throws {
        try await application.test(.router) { client in
            let answers = try await ["/sites/foreign", "/sites/missing"].asyncMap { uri in
                try await client.send(.get, uri, [.requestID: "same"])
            }
            let first = try #require(answers.first), last = try #require(answers.last)
            #expect(first.status == .notFound)
            #expect(first.body == last.body)
            #expect(first.headers == last.headers)
        }
    }

    @Test func errorsKeepTheirReasonsInside() async throws {
        try await application.test(.router) { client in
            let broken = try await client.send(.get, "/broken")
            #expect(broken.status == .internalServerError)
            #expect(try problem(broken).code == "internal")
            #expect(!String(buffer: broken.body).contains("hunter2"))
            let away = try await client.send(.get, "/away")
            #expect(away.status == .serviceUnavailable)
            #expect(away.headers[.retryAfter] != nil)
            #expect(!String(buffer: away.body).contains("waiting"))
            let forgotten = try await client.send(.get, "/forgotten/1")
            #expect(try problem(forgotten).code == "bad_request")
        }
        #expect(log.lines.contains { $0.contains("hunter2") && $0.contains("\"level\":\"error\"") })
        #expect(log.lines.contains { $0.contains("10 waiting") && $0.contains("\"level\":\"warning\"") })
    }

    @Test func bodiesAreBounded() async throws {
        try await application.test(.router) { client in
            func post(_ text: String, _ headers: HTTPFields = [:]) async throws -> TestResponse {
                try await client.send(.post, "/sites", headers, body: text)
            }
            #expect(String(buffer: try await post("0123456789").body) == "0123456789")
            let large = try await post("0123456789a")
            #expect(large.status == .contentTooLarge)
            #expect(try problem(large).code == "payload_too_large")
            #expect(try await post("x", [.contentEncoding: "br"]).status == .unsupportedMediaType)
            #expect(try await post("x", [.contentEncoding: "gzip"]).status == .badRequest)
        }
    }

    @Test func headHasNoBodyEvenWhenItFails() async throws {
        try await application.test(.router) { client in
            for uri in ["/sites", "/sites/7", "/nowhere"] {
                let response = try await client.send(.head, uri)
                #expect(response.body.readableBytes == 0)
                #expect(response.headers[.requestID] != nil)
            }
        }
    }

    @Test func metricsAreByTemplate() async throws {
        try await application.test(.router) { client in
            for uri in ["/sites/1", "/sites/2", "/nowhere", "/elsewhere"] {
                _ = try await client.send(.get, uri)
            }
            _ = try await client.send(.init("BREW") ?? .get, "/sites")
        }
        let text = metrics.exposition()
        #expect(text.contains(#"pulsegate_http_requests_total{method="GET",route="/sites/{id}",status="404"} 2"#))
        #expect(text.contains(#"pulsegate_http_requests_total{method="any",route="unmatched",status="404"} 2"#))
        #expect(text.contains(#"pulsegate_http_requests_total{method="any",route="unmatched",status="405"} 1"#))
        #expect(text.contains(#"_duration_seconds_count{method="GET",route="/sites/{id}"} 2"#))
        #expect(text.contains("pulsegate_http_requests_in_flight 0\n"))
        #expect(!text.contains("elsewhere") && !text.contains("BREW"))
    }

    @Test func requestsAreLogged() async throws {
        let trace = "0af7651916cd43dd8448eb211c80319c"
        try await application.test(.router) { client in
            _ = try await client.send(
                .get, "/sites/7?token=geheim",
                [.requestID: "r1", .traceParent: "00-\(trace)-b7ad6b7169203331-01"])
        }
        let line = try #require(log.lines.first { $0.contains(#""message":"request""#) })
        for part in [
            #""request_id":"r1""#, #""path":"/sites/7""#, #""status":404"#, #""route":"/sites/{id}""#,
            #""tenant":"acme""#, #""trace_id":"\#(trace)""#, #""method":"GET""#,
        ] {
            #expect(line.contains(part), "\(part) in \(line)")
        }
        #expect(!line.contains("geheim"))
    }

    @Test func pathsAreRedacted() {
        #expect(redactedPath("/api/v1/s3cret/telemetry") == "/api/v1/[redacted]/telemetry")
        #expect(redactedPath("/api/v1/s3cret/telemetry/") == "/api/v1/[redacted]/telemetry/")
        #expect(redactedPath("/x/store_acme_T01_abc/y") == "/x/[redacted]/y")
        #expect(redactedPath("/api/v1/sites/7") == "/api/v1/sites/7")
        #expect(redactedPath("/") == "/")
    }

    @Test(arguments: [
        "", "00-x-y-01", "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01",
    ])
    func otherTraceParentsAreIgnored(value: String) {
        #expect(traceID(ofTraceParent: value) == nil)
    }
}

extension Array {
    fileprivate func asyncMap<Value>(_ transform: (Element) async throws -> Value) async throws -> [Value] {
        var values: [Value] = []
        for element in self { values.append(try await transform(element)) }
        return values
    }
}
