import Foundation
import HTTPTypes
import Hummingbird
import Postgres
import Shared
import Support
import Testing

@testable import Query

@Suite struct EraseTests {
    private static func mentions(_ text: String, in bed: Testbed, tenant: String) async throws -> Int64? {
        try await bed.database.asSuperuser { connection in
            try await connection.first(
                """
                SELECT count(*) FROM audit_logs a JOIN tenants t ON t.id = a.tenant_id
                 WHERE t.slug = \(tenant) AND a::text LIKE '%' || \(text) || '%'
                """)
        }
    }

    private static func people(_ email: String, in bed: Testbed) async throws -> Int64? {
        try await bed.database.asSuperuser { connection in
            try await connection.first("SELECT count(*) FROM users WHERE email = \(email)")
        }
    }

    @Test func nothingOfThePersonIsLeftButTheirId() async throws {
        try await Testbed.run { bed in
            let (token, id) = (try await bed.token(TwoTenants.owner), try await bed.userID(TwoTenants.viewer))
            let email = TwoTenants.email(TwoTenants.viewer)
            let theirs = try await bed.token(TwoTenants.viewer)
            #expect(try await bed.send(.patch, "/api/v1/users/me", #"{"name":"Vivian"}"#, as: theirs).status == .ok)
            #expect(try await bed.send(.put, "/api/v1/users/\(id)", #"{"role":"operator"}"#, as: token).status == .ok)
            #expect((try await Self.mentions(email, in: bed, tenant: "north") ?? 0) >= 3)
            let erased = try await bed.post("/api/v1/users/\(id)/erase", "", as: token)
            #expect(erased.status == .noContent, "\(erased.text)")
            #expect(try await Self.mentions(email, in: bed, tenant: "north") == 0)
            #expect(try await Self.mentions("Vivian", in: bed, tenant: "north") == 0)
            #expect((try await Self.mentions(id, in: bed, tenant: "north") ?? 0) >= 4, "references are kept")
            #expect(try await Self.people(email, in: bed) == 0, "it was the last membership")
            #expect(try await bed.get("/api/v1/sites", as: theirs).status == .unauthorized)
            #expect(try await bed.audited("user.erased") == 1)
        }
    }

    /// Of reservations, their entries in the log and the answers that are kept for keys, also where somebody else holds them by now.
    @Test func nothingOfTheirReservationsIsLeft() async throws {
        try await Testbed.run { bed in
            let (token, id) = (try await bed.token(TwoTenants.owner), try await bed.userID(TwoTenants.viewer))
            let span = "\"starts_at\":\"2031-01-07T1%:00:00Z\",\"ends_at\":\"2031-01-07T1%:30:00Z\""
            for hour in 0..<2 {
                let made = try await bed.post(
                    "/api/v1/reservations",
                    """
                    {"space_id":"\(TwoTenants.room)",\(span.replacing("%", with: "\(hour)")),"note":"private matter",
                     "holder":{"user_id":"\(id)","name":"Vivian","phone":"+34 600"}}
                    """, as: token, headers: [.idempotencyKey: "key \(hour)"])
                #expect(made.status == .created, "\(made.text)")
                guard hour == 1 else { continue }
                let path = try #require(made.headers[.location])
                let given = try await bed.send(
                    .patch, path, #"{"holder":{"user_id":null,"name":"Bob","email":null,"phone":null},"note":null}"#,
                    as: token)
                #expect(given.status == .ok, "\(given.text)")
            }
            #expect(try await bed.post("/api/v1/users/\(id)/erase", "", as: token).status == .noContent)
            for text in ["Vivian", "viewer@", "private matter", "+34 600"] {
                #expect(try await Self.mentions(text, in: bed, tenant: "north") == 0, "\(text)")
                let kept: Int64? = try await bed.database.asSuperuser { connection in
                    try await connection.first(
                        """
                        SELECT (SELECT count(*) FROM reservations r WHERE r::text LIKE '%' || \(text) || '%')
                             + (SELECT count(*) FROM idempotency_keys k WHERE k::text LIKE '%' || \(text) || '%')
                        """)
                }
                #expect(kept == 0, "\(text)")
            }
            #expect(try await bed.get("/api/v1/reservations?space=R1", as: token).text.contains("Bob"))
        }
    }

    @Test func otherTenantsKeepWhatIsTheirs() async throws {
        try await Testbed.run { bed in
            let (token, id) = (try await bed.token(TwoTenants.owner), try await bed.userID(TwoTenants.both))
            let email = TwoTenants.email(TwoTenants.both)
            _ = try await bed.token(TwoTenants.both, tenant: "south")
            let before = try await Self.mentions(email, in: bed, tenant: "south")
            #expect(try await bed.post("/api/v1/users/\(id)/erase", "", as: token).status == .noContent)
            #expect(try await Self.mentions(email, in: bed, tenant: "south") == before && before == 1)
            #expect(try await Self.people(email, in: bed) == 1)
            let south = try await bed.token(TwoTenants.southern)
            #expect(try await bed.get("/api/v1/users/\(id)", as: south).status == .ok)
        }
    }

    @Test func whoLeftBeforeIsErasedTooAndStrangersAreNotFound() async throws {
        try await Testbed.run { bed in
            let (token, id) = (try await bed.token(TwoTenants.owner), try await bed.userID(TwoTenants.viewer))
            _ = try await bed.token(TwoTenants.viewer)
            #expect(try await bed.send(.delete, "/api/v1/users/\(id)", nil, as: token).status == .noContent)
            #expect(try await bed.post("/api/v1/users/\(id)/erase", "", as: token).status == .noContent)
            #expect(try await Self.mentions(TwoTenants.email(TwoTenants.viewer), in: bed, tenant: "north") == 0)
            for stranger in [try await bed.userID(TwoTenants.southern), UUID.v7().uuidString] {
                #expect(try await bed.post("/api/v1/users/\(stranger)/erase", "", as: token).status == .notFound)
            }
            #expect(try await Self.people(TwoTenants.email(TwoTenants.southern), in: bed) == 1)
            let owner = try await bed.userID(TwoTenants.owner)
            #expect(try await bed.post("/api/v1/users/\(owner)/erase", "", as: token).code == "last_owner")
        }
    }

    /// The one function that changes entries blanks members of nothing, and can be told nothing else.
    @Test func membersAreNotErasedBehindTheBack() async throws {
        try await Testbed.run { bed in
            let id = try #require(UUID(uuidString: try await bed.userID(TwoTenants.viewer)))
            let north = try #require(try await bed.services.directory.tenant(TwoTenants.north))
            let error = await #expect(throws: PostgresError.self) {
                try await bed.services.database.withTenant(north) { tx in
                    _ = try await tx.run("SELECT erase_person(\(id), NULL)")
                }
            }
            #expect(error?.sqlState == "55000")
        }
    }

    @Test func whoErasesThemselvesLeavesNoNameEither() async throws {
        try await Testbed.run { bed in
            try await bed.promote(TwoTenants.viewer, to: "owner")
            let (token, id) = (try await bed.token(TwoTenants.viewer), try await bed.userID(TwoTenants.viewer))
            #expect(try await bed.post("/api/v1/users/\(id)/erase", "", as: token).status == .noContent)
            #expect(try await Self.mentions(TwoTenants.email(TwoTenants.viewer), in: bed, tenant: "north") == 0)
            #expect(try await bed.audited("user.erased") == 1)
        }
    }

    @Test func oneWhoIsLimitedErasesNoFormerMember() async throws {
        try await Testbed.run(accessTimeToLive: .zero) { bed in
            let id = try await bed.userID(TwoTenants.viewer)
            _ = try await bed.token(TwoTenants.viewer)
            let owner = try await bed.token(TwoTenants.owner)
            #expect(try await bed.send(.delete, "/api/v1/users/\(id)", nil, as: owner).status == .noContent)
            try await bed.promote(TwoTenants.limited, to: "owner")
            let refused = try await bed.post("/api/v1/users/\(id)/erase", "", as: bed.token(TwoTenants.limited))
            #expect(refused.code == "site_limited")
        }
    }

    /// Of what they did with goods the ledger keeps what, but not who.
    @Test func nothingOfTheirDealingsIsLeft() async throws {
        try await Testbed.run { bed in
            try await bed.promote(TwoTenants.viewer, to: "operator")
            let (theirs, id) = (try await bed.token(TwoTenants.viewer), try await bed.userID(TwoTenants.viewer))
            let email = TwoTenants.email(TwoTenants.viewer)
            let moved = try await bed.move(
                TwoTenants.product.uuidString, "receipt", "1", at: TwoTenants.t01, ",\"request_id\":\"r\"", as: theirs)
            #expect(moved.status == .created, "\(moved.text)")
            let line = "{\"product_id\":\"\(TwoTenants.product)\",\"quantity\":1}"
            let asked = try await bed.post(
                "/api/v1/purchase-requests",
                "{\"site_id\":\"\(TwoTenants.t01)\",\"lines\":[\(line)],\"request_id\":\"r\"}", as: theirs)
            #expect(asked.status == .created && asked.text.contains(email), "\(asked.text)")
            let token = try await bed.token(TwoTenants.owner)
            #expect(try await bed.post("/api/v1/users/\(id)/erase", "", as: token).status == .noContent)
            let left: [String] = try await bed.database.asSuperuser { connection in
                try await connection.all(
                    """
                    SELECT w.name FROM (SELECT 'movements' AS name, m::text AS row FROM stock_movements m
                        UNION ALL SELECT 'steps', s::text FROM purchase_request_steps s UNION ALL SELECT 'events', e::text FROM events e
                        UNION ALL SELECT 'audit', a::text FROM audit_logs a UNION ALL SELECT 'keys', k::text FROM idempotency_keys k) w
                     WHERE strpos(w.row, \(email)) > 0
                    """)
            }
            #expect(left == [])
            #expect(try await bed.level(TwoTenants.product.uuidString, as: token) == "101")
        }
    }
}
