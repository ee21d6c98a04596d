import Foundation
import HTTPTypes
import Shared
import Support
import Testing

@testable import Query

/// The token endpoint as RFC 6749 has it.
@Suite struct OAuthTests {
    private static let password = TwoTenants.password.replacing(" ", with: "+")

    @Test func passwordAndRefreshGrants() async throws {
        try await Testbed.run { bed in
            let granted = try await bed.grant(
                "grant_type=password&username=viewer%40example.com&password=\(Self.password)&scope=")
            #expect(granted.status == .ok, "\(granted.text)")
            #expect(granted.headers[.cacheControl] == "no-store")
            #expect(granted.json["token_type"] as? String == "Bearer")
            #expect(granted.json["expires_in"] as? Int == 900)
            let scopes = (granted.json["scope"] as? String)?.split(separator: " ").map(String.init)
            #expect(scopes == Role.viewer.scopes.map(\.rawValue).sorted())
            let refresh = try #require(granted.json["refresh_token"] as? String)
            let renewed = try await bed.grant("grant_type=refresh_token&refresh_token=\(refresh)")
            let access = try #require(renewed.json["access_token"] as? String)
            #expect(try await bed.get("/api/v1/sites", as: access).status == .ok)
            let reused = try await bed.grant("grant_type=refresh_token&refresh_token=\(refresh)")
            #expect(reused.status == .badRequest && reused.json["error"] as? String == "invalid_grant")
        }
    }

    @Test func theTenantIsChosenByAField() async throws {
        try await Testbed.run { bed in
            let who = "grant_type=password&username=both@example.com&password=\(Self.password)"
            let undecided = try await bed.grant(who)
            #expect(undecided.json["error"] as? String == "invalid_request")
            #expect(try await bed.grant(who + "&tenant=south").status == .ok)
            #expect(try await bed.grant(who + "&tenant=nowhere").json["error"] as? String == "invalid_grant")
        }
    }

    @Test(arguments: [
        ("", "invalid_request"),
        ("grant_type=password&username=a", "invalid_request"),
        ("grant_type=password&username=viewer@example.com&password=wrong", "invalid_grant"),
        ("grant_type=refresh_token", "invalid_request"),
        ("grant_type=refresh_token&refresh_token=nonsense", "invalid_grant"),
        ("grant_type=client_credentials", "unsupported_grant_type"),
        ("grant_type=password&grant_type=password", "invalid_request"),
        ("grant_type=%zz", "invalid_request"),
        ("grant_type=password&username=a&password=%FF%FE", "invalid_request"),
    ])
    func refusalsAreOnesThatStandardClientsKnow(form: String, error: String) async throws {
        try await Testbed.run { bed in
            let refused = try await bed.grant(form)
            #expect(refused.status == .badRequest && refused.json["error"] as? String == error, "\(refused.text)")
            #expect(refused.json["error_description"] is String)
        }
    }

    @Test func anotherTypeIsRefused() async throws {
        try await Testbed.run { bed in
            let refused = try await bed.post("/api/v1/auth/token", "{\"grant_type\":\"password\"}")
            #expect(refused.json["error"] as? String == "invalid_request")
        }
    }
}

extension Testbed {
    fileprivate func grant(_ form: String) async throws -> Answered {
        try await post(
            "/api/v1/auth/token", form, headers: [.contentType: "application/x-www-form-urlencoded; charset=utf-8"])
    }
}
