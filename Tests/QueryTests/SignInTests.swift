import Foundation
import Hummingbird
import Postgres
import Shared
import Support
import Testing

@testable import Query

@Suite struct SignInTests {
    private static func body(_ user: String, password: String = TwoTenants.password, more: String = "") -> String {
        "{\"email\":\"\(TwoTenants.email(user))\",\"password\":\"\(password)\"\(more)}"
    }

    @Test func answersInFullAndLeavesSessionAuditAndTime() async throws {
        try await Testbed.run { bed in
            let answered = try await bed.post(
                "/api/v1/auth/login", Self.body(TwoTenants.owner),
                headers: [.userAgent: "till/1", .requestID: "asked-by-a-test"])
            #expect(answered.status == .ok, "\(answered.text)")
            #expect(answered.headers[.cacheControl] == "no-store")
            #expect(answered.json["token_type"] as? String == "Bearer")
            #expect(answered.json["expires_in"] as? Int == 900)
            let tenant = answered.json["tenant"] as? [String: Any]
            #expect(tenant?["id"] as? String == TwoTenants.north.lowercaseString)
            #expect(tenant?["slug"] as? String == "north")
            let user = answered.json["user"] as? [String: Any]
            #expect(user?["email"] as? String == "owner@example.com")
            #expect(user?["role"] as? String == "owner")
            #expect((answered.json["memberships"] as? [[String: Any]])?.texts("slug") == ["north"])

            let text = try #require(answered.json["access_token"] as? String)
            let token = try await bed.services.tokens.verify(text)
            #expect(token.tenantID == TwoTenants.north)
            #expect(token.scopes == Role.owner.scopes)
            let refresh = try #require(OpaqueToken(parsing: answered.json["refresh_token"] as? String ?? ""))
            try await bed.database.asSuperuser { connection in
                let kept: Int64? = try await connection.first(
                    """
                    SELECT count(*) FROM sessions s JOIN refresh_tokens r ON r.session_id = s.id
                      JOIN users u ON u.id = s.user_id JOIN audit_logs a ON a.resource_id = s.id::text
                     WHERE s.id = \(token.sessionID) AND r.sha256 = \(refresh.sha256) AND s.user_agent = 'till/1'
                       AND a.actor_name = 'owner@example.com' AND a.request_id = 'asked-by-a-test'
                       AND u.last_login_at > now() - interval '1 minute'
                       AND r.expires_at BETWEEN now() + interval '6 days 23 hours' AND now() + interval '7 days'
                    """)
                #expect(kept == 1)
            }
        }
    }

    @Test func unknownUserAndWrongPasswordGetOneAnswer() async throws {
        try await Testbed.run { bed in
            let headers: HTTPFields = [.requestID: "same"]
            let unknown = try await bed.post(
                "/api/v1/auth/login", Self.body("stranger"), headers: headers)
            let wrong = try await bed.post(
                "/api/v1/auth/login", Self.body(TwoTenants.owner, password: "not the password"), headers: headers)
            #expect(unknown.status == .unauthorized)
            #expect(unknown.headers[.wwwAuthenticate] != nil)
            #expect(unknown.text == wrong.text)
            #expect(unknown.headers == wrong.headers)
            let sessions: Int64? = try await bed.database.asSuperuser { connection in
                try await connection.first("SELECT count(*) FROM sessions")
            }
            #expect(sessions == 0)
        }
    }

    @Test func severalTenantsWantAChoice() async throws {
        try await Testbed.run { bed in
            let undecided = try await bed.post("/api/v1/auth/login", Self.body(TwoTenants.both))
            #expect(undecided.status == .conflict)
            #expect(undecided.code == "tenant_required")
            #expect(undecided.headers[.contentType] == "application/problem+json")
            #expect(undecided.json["request_id"] as? String == undecided.headers[.requestID])
            #expect((undecided.json["memberships"] as? [[String: Any]])?.texts("slug") == ["north", "south"])
            #expect(undecided.json["access_token"] == nil)

            for (more, headers, slug) in [
                (",\"tenant\":\"south\"", [:], "south"),
                (",\"tenant\":\"\(TwoTenants.north.uuidString)\"", [:], "north"),
                ("", [.tenantID: "south"], "south"),
            ] as [(String, HTTPFields, String)] {
                let answered = try await bed.post(
                    "/api/v1/auth/login", Self.body(TwoTenants.both, more: more), headers: headers)
                #expect((answered.json["tenant"] as? [String: Any])?["slug"] as? String == slug, "\(answered.text)")
            }
        }
    }

    @Test func nobodyEntersForeignTenants() async throws {
        try await Testbed.run { bed in
            let headers: HTTPFields = [.requestID: "same"]
            let foreign = try await bed.post(
                "/api/v1/auth/login", Self.body(TwoTenants.owner, more: ",\"tenant\":\"south\""), headers: headers)
            let missing = try await bed.post(
                "/api/v1/auth/login", Self.body(TwoTenants.owner, more: ",\"tenant\":\"nowhere\""), headers: headers)
            #expect(foreign.status == .forbidden)
            #expect(foreign.text == missing.text)
            #expect(try await bed.post("/api/v1/auth/login", Self.body(TwoTenants.nobody)).status == .forbidden)
        }
    }

    @Test(arguments: [
        ("{", HTTPResponse.Status.badRequest, [String]()),
        ("[]", .badRequest, []),
        ("{\"email\":\"a@b.c\"}", .unprocessableContent, ["password: required"]),
        ("{\"email\":1,\"password\":[]}", .unprocessableContent, ["email: wrong_type", "password: wrong_type"]),
        ("{\"email\":\"a@b.c\",\"password\":\"p\",\"x\":1}", .unprocessableContent, ["x: unknown_field"]),
    ])
    func refusesWhatIsNoSignIn(body: String, status: HTTPResponse.Status, faults: [String]) async throws {
        try await Testbed.run { bed in
            let answered = try await bed.post("/api/v1/auth/login", body)
            #expect(answered.status == status)
            #expect(answered.faults == faults)
            #expect(answered.headers[.contentType] == "application/problem+json")
        }
    }

    @Test func boundsTheBody() async throws {
        try await Testbed.run { bed in
            let name = String(repeating: "x", count: 70_000)
            let long = Self.body(TwoTenants.owner, more: ",\"tenant\":\"\(name)\"")
            #expect(try await bed.post("/api/v1/auth/login", long).status == .contentTooLarge)
            let form = try await bed.post("/api/v1/auth/login", "a=b", headers: [.contentType: "text/plain"])
            #expect(form.status == .unsupportedMediaType)
        }
    }

    @Test func failuresSlowAnAccountDown() async throws {
        try await Testbed.run(
            failures: .init(freeFailures: 3, shortestWait: .seconds(3_600), longestWait: .seconds(3_600))
        ) { bed in
            for _ in 0..<3 {
                let wrong = try await bed.post("/api/v1/auth/login", Self.body(TwoTenants.owner, password: "wrong"))
                #expect(wrong.status == .unauthorized)
            }
            let throttled = try await bed.post("/api/v1/auth/login", Self.body(TwoTenants.owner))
            #expect(throttled.status == .tooManyRequests)
            #expect(Int(throttled.headers[.retryAfter] ?? "") ?? 0 >= 1)
            #expect(try await bed.post("/api/v1/auth/login", Self.body(TwoTenants.viewer)).status == .ok)
        }
    }
}
