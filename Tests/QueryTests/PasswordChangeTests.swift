import Foundation
import HTTPTypes
import Postgres
import Shared
import Support
import Testing

@testable import Query

@Suite struct PasswordChangeTests {
    private static let another = "another one, long enough"

    private static func body(_ old: String = TwoTenants.password, _ new: String = another) -> String {
        "{\"old_password\":\"\(old)\",\"new_password\":\"\(new)\"}"
    }

    @Test func endsAllSessionsAndAnswersWithANewOne() async throws {
        try await Testbed.run(accessTimeToLive: .zero) { bed in
            let thief = try await bed.signIn(TwoTenants.viewer)
            let token = try await bed.token(TwoTenants.viewer)
            let changed = try await bed.post("/api/v1/auth/password", Self.body(), as: token)
            #expect(changed.status == .ok, "\(changed.text)")
            let access = try #require(changed.json["access_token"] as? String)
            #expect(try await bed.get("/api/v1/sites", as: access).status == .ok)
            let stolen = try #require(thief.json["access_token"] as? String)
            for ended in [token, stolen] {
                #expect(try await bed.get("/api/v1/sites", as: ended).status == .unauthorized)
            }
            let refresh = try #require(thief.json["refresh_token"] as? String)
            #expect(try await bed.refresh(refresh).status == .unauthorized)
            let signIn = "{\"email\":\"\(TwoTenants.email(TwoTenants.viewer))\",\"password\":"
            #expect(
                try await bed.post("/api/v1/auth/login", signIn + "\"\(TwoTenants.password)\"}").status == .unauthorized
            )
            #expect(try await bed.post("/api/v1/auth/login", signIn + "\"\(Self.another)\"}").status == .ok)
            #expect(try await bed.audited("user.password_changed") == 1)
        }
    }

    @Test(arguments: [
        (body("wrong"), ["old_password: wrong_password"]),
        (body(TwoTenants.password, "short"), ["new_password: too_short"]),
        (body(TwoTenants.password, TwoTenants.password), ["new_password: unchanged"]),
        ("{\"old_password\":\"x\"}", ["new_password: required"]),
    ])
    func refusesWhatWillNotDo(body: String, faults: [String]) async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.viewer)
            let refused = try await bed.post("/api/v1/auth/password", body, as: token)
            #expect(refused.status == .unprocessableContent && refused.faults == faults)
            #expect(try await bed.get("/api/v1/sites", as: token).status == .ok)
        }
    }

    /// Whoever found a session open must not find out the password through it.
    @Test func guessesAreSlowedDown() async throws {
        try await Testbed.run(
            failures: .init(freeFailures: 3, shortestWait: .seconds(3_600), longestWait: .seconds(3_600))
        ) { bed in
            let token = try await bed.token(TwoTenants.viewer)
            for _ in 0..<3 { _ = try await bed.post("/api/v1/auth/password", Self.body("wrong"), as: token) }
            #expect(try await bed.post("/api/v1/auth/password", Self.body(), as: token).status == .tooManyRequests)
        }
    }

    @Test func ofTwoAtOnceOneIsMade() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.viewer)
            let answers = try await withThrowingTaskGroup(of: HTTPResponse.Status.self) { group in
                for number in 0..<4 {
                    group.addTask {
                        try await bed.post(
                            "/api/v1/auth/password", Self.body(TwoTenants.password, "a new password \(number)"),
                            as: token
                        ).status
                    }
                }
                return try await group.reduce(into: [HTTPResponse.Status]()) { $0.append($1) }
            }
            #expect(answers.count { $0 == .ok } == 1, "\(answers)")
            #expect(try await bed.audited("user.password_changed") == 1)
        }
    }

    @Test func whoMustChangeItCanDoNothingElse() async throws {
        try await Testbed.run { bed in
            try await bed.database.asSuperuser {
                try await $0.execute(script: "UPDATE users SET password_change_required = true")
            }
            let token = try await bed.token(TwoTenants.owner)
            for row in AccessRow.table where row.method == .get && row.route != "/api/v1/users/me" {
                let refused = try await bed.ask(row, as: token)
                #expect(refused.status == .forbidden && refused.code == "password_change_required", "\(row.route)")
            }
            let me = try await bed.get("/api/v1/users/me", as: token)
            #expect(me.json["password_change_required"] as? Bool == true)
            let changed = try await bed.post("/api/v1/auth/password", Self.body(), as: token)
            let access = try #require(changed.json["access_token"] as? String)
            #expect(try await bed.get("/api/v1/sites", as: access).status == .ok)
        }
    }

    /// `U*U` by Openwall's test vectors of crypt_blowfish.
    @Test func hashesOfAnEarlierSystemAreTakenAndReplaced() async throws {
        try await Testbed.run { bed in
            try await bed.database.asSuperuser {
                try await $0.run(
                    """
                    UPDATE users SET password_hash = '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'
                     WHERE email = 'viewer@example.com'
                    """)
            }
            for _ in 0..<2 {
                let body = "{\"email\":\"viewer@example.com\",\"password\":\"U*U\"}"
                #expect(try await bed.post("/api/v1/auth/login", body).status == .ok)
                let kept: String? = try await bed.database.asSuperuser {
                    try await $0.first("SELECT password_hash FROM users WHERE email = 'viewer@example.com'")
                }
                #expect(kept?.hasPrefix("$argon2id$") == true)
            }
        }
    }
}
