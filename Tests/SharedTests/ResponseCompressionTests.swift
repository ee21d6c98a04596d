import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Testing

@testable import Shared

struct ResponseCompressionTests {
    private static let long = String(repeating: "every sample once, ", count: 100)

    private func application(_ headers: HTTPFields = [.contentType: "text/plain"]) -> some ApplicationProtocol {
        let router = Router(context: AnonymousRequestContext.self, options: .autoGenerateHeadEndpoints)
        router.get("/long") { request, _ in
            var headers = headers
            headers[.eTag] = "\"v1\""
            let known = request.headers[.ifNoneMatch] == "\"v1\""
            return known
                ? Response(status: .notModified)
                : Response(
                    status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: Self.long)))
        }
        router.get("/short") { _, _ in "short" }
        router.get("/stream") { _, _ in
            Response(
                status: .ok, headers: [.contentType: "text/csv"],
                body: ResponseBody { writer in
                    for _ in 0..<50 { try await writer.write(ByteBuffer(string: Self.long)) }
                    try await writer.write(ByteBuffer())
                    try await writer.finish(nil)
                })
        }
        return Application(router: HTTPEdge(router, metrics: MetricRegistry()))
    }

    private func text(_ response: TestResponse) throws -> String {
        String(buffer: try inflate(response.body, encoding: .gzip, limit: 1_000_000))
    }

    @Test func longAnswersAreCompressedOnRequest() async throws {
        try await application().test(.router) { client in
            let plain = try await client.send(.get, "/long")
            #expect(plain.headers[.contentEncoding] == nil)
            #expect(plain.headers[.vary] == "Accept-Encoding")
            #expect(String(buffer: plain.body) == Self.long)

            let compressed = try await client.send(.get, "/long", [.acceptEncoding: "br, gzip;q=0.8"])
            #expect(compressed.headers[.contentEncoding] == "gzip")
            #expect(compressed.headers[.eTag] == "\"v1-gzip\"")
            #expect(compressed.body.readableBytes < Self.long.utf8.count / 4)
            #expect(try text(compressed) == Self.long)

            let known = try await client.send(
                .get, "/long", [.acceptEncoding: "gzip", .ifNoneMatch: "\"v1-gzip\""])
            #expect(known.status == .notModified)

            let short = try await client.send(.get, "/short", [.acceptEncoding: "gzip"])
            #expect(short.headers[.contentEncoding] == nil)
        }
    }

    @Test func streamsAreCompressedAsTheyCome() async throws {
        try await application().test(.live) { client in
            let response = try await client.send(.get, "/stream", [.acceptEncoding: "gzip"])
            #expect(response.headers[.contentEncoding] == "gzip")
            #expect(try text(response) == String(repeating: Self.long, count: 50))
        }
    }

    @Test(
        arguments: [
            [.contentType: "application/octet-stream"], [.contentType: "text/event-stream"],
            [.contentType: "text/plain", .cacheControl: "no-store"],
            [.contentType: "text/plain", .contentEncoding: "br"],
        ] as [HTTPFields]) func someAnswersStayAsTheyAre(_ headers: HTTPFields) async throws
    {
        try await application(headers).test(.router) { client in
            let response = try await client.send(.get, "/long", [.acceptEncoding: "gzip"])
            #expect(String(buffer: response.body) == Self.long)
        }
    }

    @Test func whoAcceptsIt() {
        for yes in ["gzip", "GZip", "x-gzip", "*", "br;q=1.0, gzip;q=0.5", "deflate, *;q=0.1"] {
            #expect(ResponseCompression.accepts([yes]), "\(yes)")
        }
        for no in ["", "br", "gzip;q=0", "gzip; q=0.0", "*;q=0", "*, gzip;q=0"] {
            #expect(!ResponseCompression.accepts([no]), "\(no)")
        }
    }
}
