import Foundation
import Hummingbird
import Postgres
import Shared
import Support
import Testing

@testable import Query

/// Sessions after they began: renewed, ended, continued elsewhere.
@Suite struct SessionTests {
    @Test func aRefreshTokenWorksOnceAndBringsTheNext() async throws {
        try await Testbed.run { bed in
            let signedIn = try await bed.signIn(TwoTenants.viewer)
            let first = try #require(signedIn.json["refresh_token"] as? String)
            let answered = try await bed.refresh(first)
            #expect(answered.status == .ok, "\(answered.text)")
            #expect(answered.headers[.cacheControl] == "no-store")
            #expect(Set(answered.json.keys) == Set(signedIn.json.keys))
            let second = try #require(answered.json["refresh_token"] as? String)
            #expect(second != first)
            let access = try #require(answered.json["access_token"] as? String)
            #expect(try await bed.get("/api/v1/sites", as: access).status == .ok)
            #expect(try await bed.refresh(second).status == .ok)
        }
    }

    /// Whoever has the old one may be a thief, or the owner after a theft: neither goes on.
    @Test func anOldRefreshTokenEndsTheSession() async throws {
        try await Testbed.run(accessTimeToLive: .zero) { bed in
            let other = try await bed.token(TwoTenants.viewer)
            let first = try #require(try await bed.signIn(TwoTenants.viewer).json["refresh_token"] as? String)
            let renewed = try await bed.refresh(first)
            let second = try #require(renewed.json["refresh_token"] as? String)
            let access = try #require(renewed.json["access_token"] as? String)
            let reused = try await bed.refresh(first)
            #expect(reused.status == .unauthorized && reused.code == "invalid_refresh_token")
            #expect(try await bed.refresh(second).status == .unauthorized)
            #expect(try await bed.get("/api/v1/sites", as: access).status == .unauthorized)
            #expect(try await bed.get("/api/v1/sites", as: other).status == .ok, "another session of the same person")
            #expect(try await bed.audited("session.token_reused") == 1)
            #expect(bed.services.metrics.exposition().contains("pulsegate_refresh_tokens_reused_total 1"))
        }
    }

    @Test func ofManyAtOnceOneIsRenewed() async throws {
        try await Testbed.run { bed in
            let token = try #require(try await bed.signIn(TwoTenants.viewer).json["refresh_token"] as? String)
            let answers = try await withThrowingTaskGroup(of: HTTPResponse.Status.self) { group in
                for _ in 0..<20 { group.addTask { try await bed.refresh(token).status } }
                return try await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
            }
            #expect(answers == [.ok: 1, .unauthorized: 19])
            #expect(try await bed.audited("session.token_reused") == 1)
        }
    }

    @Test(arguments: [
        "UPDATE refresh_tokens SET expires_at = now()",
        "UPDATE sessions SET ended_at = now()",
        "UPDATE users SET sessions_valid_from = now()",
        "UPDATE tenants SET is_active = false",
    ])
    func whatEndsASessionEndsItsRenewal(change: String) async throws {
        try await Testbed.run(accessTimeToLive: .zero) { bed in
            let token = try #require(try await bed.signIn(TwoTenants.viewer).json["refresh_token"] as? String)
            try await bed.database.asSuperuser { try await $0.execute(script: change) }
            #expect(try await bed.refresh(token).status == .unauthorized)
        }
    }

    @Test func unknownRefreshTokensGetOneAnswer() async throws {
        try await Testbed.run { bed in
            let unknown = OpaqueToken.make(tenant: TwoTenants.north).secret
            let foreign = OpaqueToken.make(tenant: UUID.v7()).secret
            for token in [unknown, foreign, "nonsense", String(repeating: "A", count: 64)] {
                let answered = try await bed.refresh(token)
                #expect(answered.status == .unauthorized && answered.code == "invalid_refresh_token")
            }
            #expect(try await bed.post("/api/v1/auth/refresh", "{}").faults == ["refresh_token: required"])
        }
    }

    @Test func logoutEndsThisSessionAlone() async throws {
        try await Testbed.run { bed in
            let (one, other) = (try await bed.token(TwoTenants.viewer), try await bed.token(TwoTenants.viewer))
            #expect(try await bed.get("/api/v1/sites", as: one).status == .ok)
            #expect(try await bed.post("/api/v1/auth/logout", "", as: one).status == .noContent)
            #expect(try await bed.get("/api/v1/sites", as: one).status == .unauthorized)
            #expect(try await bed.get("/api/v1/sites", as: other).status == .ok)
            #expect(try await bed.audited("session.ended") == 1)
        }
    }

    @Test func logoutEverywhereIsInAllTenants() async throws {
        try await Testbed.run(accessTimeToLive: .zero) { bed in
            let north = try await bed.token(TwoTenants.both, tenant: "north")
            let south = try await bed.signIn(TwoTenants.both, tenant: "south")
            let stranger = try await bed.token(TwoTenants.viewer)
            #expect(try await bed.post("/api/v1/auth/logout-all", "", as: north).status == .noContent)
            let access = try #require(south.json["access_token"] as? String)
            #expect(try await bed.get("/api/v1/sites", as: north).status == .unauthorized)
            #expect(try await bed.get("/api/v1/sites", as: access).status == .unauthorized)
            let refresh = try #require(south.json["refresh_token"] as? String)
            #expect(try await bed.refresh(refresh).status == .unauthorized)
            #expect(try await bed.get("/api/v1/sites", as: stranger).status == .ok)
            let again = try await bed.token(TwoTenants.both, tenant: "south")
            #expect(try await bed.get("/api/v1/sites", as: again).status == .ok)
        }
    }

    @Test func switchingOpensASessionInAnotherTenantOfOnes() async throws {
        try await Testbed.run { bed in
            let north = try await bed.token(TwoTenants.both, tenant: "north")
            let switched = try await bed.post("/api/v1/auth/switch", "{\"tenant\":\"south\"}", as: north)
            #expect((switched.json["tenant"] as? [String: Any])?["slug"] as? String == "south", "\(switched.text)")
            let south = try #require(switched.json["access_token"] as? String)
            #expect(
                try await bed.get("/api/v1/sites/\(TwoTenants.southernStore)", as: south).status == .ok)
            #expect(try await bed.get("/api/v1/sites", as: north).status == .ok)
            let stranger = try await bed.token(TwoTenants.viewer)
            for tenant in ["south", "nowhere"] {
                let refused = try await bed.post("/api/v1/auth/switch", "{\"tenant\":\"\(tenant)\"}", as: stranger)
                #expect(refused.status == .forbidden && refused.code == "no_membership")
            }
        }
    }

    /// Though this process has not heard of its end.
    @Test func anEndedSessionOpensNoOther() async throws {
        try await Testbed.run(accessTimeToLive: .seconds(600)) { bed in
            let token = try await bed.token(TwoTenants.both, tenant: "north")
            let switching = "{\"tenant\":\"south\"}"
            #expect(try await bed.post("/api/v1/auth/switch", switching, as: token).status == .ok)
            try await bed.database.asSuperuser {
                try await $0.execute(script: "UPDATE users SET sessions_valid_from = clock_timestamp()")
            }
            let refused = try await bed.post("/api/v1/auth/switch", switching, as: token)
            #expect(refused.status == .conflict && refused.code == "changed_meanwhile")
        }
    }

    /// Also of tenants that the session which ended them can't see.
    @Test func everyTenantOfThePersonIsTold() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.both, tenant: "north")
            let (changes, told) = AsyncStream.makeStream(of: String.self)
            let listener = NotificationListener(
                ConnectionConfiguration(url: try bed.database.url(as: .query)), channels: ["pulsegate_changes"],
                logger: .silent, onReconnect: { told.yield("listening") }, onNotification: { told.yield($0.payload) })
            let listening = Task { await listener.run() }
            var heard = changes.makeAsyncIterator()
            #expect(await heard.next() == "listening")
            #expect(try await bed.post("/api/v1/auth/logout-all", "", as: token).status == .noContent)
            let tenants: [Int32] = try await bed.database.asSuperuser { connection in
                try await connection.all("SELECT id FROM tenants WHERE slug IN ('north', 'south')")
            }
            #expect(Set([await heard.next(), await heard.next()]) == Set(tenants.map { "users:\($0)" }))
            listening.cancel()
            await listening.value
        }
    }
}

extension Testbed {
    func refresh(_ token: String) async throws -> Answered {
        try await post("/api/v1/auth/refresh", "{\"refresh_token\":\"\(token)\"}")
    }

    /// As typed, whatever comes of it.
    func logIn(_ user: String, _ password: String) async throws -> Answered {
        try await post(
            "/api/v1/auth/login", "{\"email\":\"\(TwoTenants.email(user))\",\"password\":\"\(password)\"}")
    }

    /// Entries of the audit log, in all tenants.
    func audited(_ action: String) async throws -> Int64? {
        try await database.asSuperuser { connection in
            try await connection.first("SELECT count(*) FROM audit_logs WHERE action = \(action)")
        }
    }
}
