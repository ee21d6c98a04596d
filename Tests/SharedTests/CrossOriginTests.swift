import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing

@testable import Shared

struct CrossOriginTests {
    private func application(_ origins: [String]) -> some ApplicationProtocol {
        let router = Router(context: AnonymousRequestContext.self)
        router.get("/sites") { _, _ in "ok" }
        router.get("/gone") { _, _ -> String in throw Problem.notFound("site") }
        return Application(router: HTTPEdge(router, metrics: MetricRegistry(), origins: origins))
    }

    private let preflight: HTTPFields = [
        .origin: "https://b.example", .accessControlRequestMethod: "PATCH",
        .accessControlRequestHeaders: "authorization",
    ]

    @Test func listedOriginsMayCall() async throws {
        try await application(["https://a.example", "https://b.example"]).test(.router) { client in
            let preflight = try await client.send(.options, "/sites", preflight)
            #expect(preflight.status == .noContent)
            #expect(preflight.headers[.accessControlAllowOrigin] == "https://b.example")
            #expect(preflight.headers[.accessControlAllowMethods]?.contains("PATCH") == true)
            #expect(preflight.headers[.accessControlAllowHeaders]?.lowercased().contains("authorization") == true)
            #expect(preflight.headers[.accessControlAllowCredentials] == nil)

            for path in ["/sites", "/gone", "/nowhere"] {
                let answer = try await client.send(.get, path, [.origin: "https://a.example"])
                #expect(answer.headers[.accessControlAllowOrigin] == "https://a.example", "\(path)")
                #expect(answer.headers[.accessControlExposeHeaders]?.contains("ETag") == true)
                #expect(answer.headers[.vary]?.contains("Origin") == true)
            }
        }
    }

    @Test func othersMayNot() async throws {
        try await application(["https://a.example"]).test(.router) { client in
            let foreign = try await client.send(.get, "/sites", [.origin: "https://b.example"])
            #expect(foreign.headers[.accessControlAllowOrigin] == nil)
            #expect(foreign.headers[.vary]?.contains("Origin") == true)
            let refused = try await client.send(.options, "/sites", preflight)
            #expect(refused.status == .methodNotAllowed)
            #expect(refused.headers[.accessControlAllowOrigin] == nil)
        }
        try await application([]).test(.router) { client in
            let answer = try await client.send(.get, "/sites", [.origin: "https://a.example"])
            #expect(answer.headers[.accessControlAllowOrigin] == nil)
        }
    }

    @Test func aStarLetsEveryoneCall() async throws {
        try await application(["*"]).test(.router) { client in
            let answer = try await client.send(.get, "/sites", [.origin: "https://anyone.example"])
            #expect(answer.headers[.accessControlAllowOrigin] == "*")
        }
    }
}
