import Foundation
import HTTPTypes
import Hummingbird
import Postgres
import Shared
import Support
import Testing

@testable import Query

@Suite struct RegistrationTests {
    private static func body(_ email: String, _ slug: String) -> String {
        """
        {"user":{"email":"\(email)","name":"Eva","password":"long enough to do"},"tenant":{"name":"Eva's","slug":"\(slug)"}}
        """
    }

    private static var open: QueryServices.Options {
        QueryServices.Options(registration: .open, bootstrapToken: "the first one may")
    }

    @Test func whoRegistersOwnsATenant() async throws {
        try await Testbed.run(options: Self.open) { bed in
            let made = try await bed.post("/api/v1/auth/register", Self.body("Eva@example.com", "evas"))
            #expect(made.status == .created, "\(made.text)")
            let token = try #require(made.json["access_token"] as? String)
            let tenant = try await bed.get("/api/v1/tenants/current", as: token)
            #expect(tenant.json["slug"] as? String == "evas" && tenant.json["plan"] as? String == "basic")
            #expect((tenant.json["limits"] as? [String: Any])?["max_stores"] as? Int == 30)
            #expect(try await bed.get("/api/v1/users/me", as: token).json["role"] as? String == "owner")
            #expect(try await bed.get("/api/v1/sites", as: token).data.isEmpty)
            let secondSlug = try await bed.post("/api/v1/auth/register", Self.body("eve@example.com", "evas"))
            #expect(secondSlug.status == .conflict && secondSlug.code == "slug_taken")
            let secondEmail = try await bed.post("/api/v1/auth/register", Self.body("eva@example.com", "evas-2"))
            #expect(secondEmail.status == .conflict && secondEmail.code == "email_taken")
            #expect(try await bed.logIn("eve", "long enough to do").status == .unauthorized, "nothing is left of it")
            #expect(try await bed.audited("tenant.created") == 1)
        }
    }

    @Test func whoHasSignedInFoundsAnother() async throws {
        try await Testbed.run(options: Self.open) { bed in
            let token = try await bed.token(TwoTenants.viewer)
            let made = try await bed.post("/api/v1/tenants", #"{"name":"Second","slug":"second"}"#, as: token)
            #expect(made.status == .created && made.json["role"] as? String == "owner", "\(made.text)")
            let mine = try await bed.get("/api/v1/tenants", as: token)
            #expect(mine.data.texts("slug") == ["north", "second"] && mine.data.texts("role") == ["viewer", "owner"])
            let switched = try await bed.post("/api/v1/auth/switch", #"{"tenant":"second"}"#, as: token)
            #expect(switched.status == .ok)
            let taken = try await bed.post("/api/v1/tenants", #"{"name":"Third","slug":"south"}"#, as: token)
            #expect(taken.code == "slug_taken")
        }
    }

    @Test func onePersonFoundsSomeAndNotAnyNumber() async throws {
        try await Testbed.run(options: Self.open) { bed in
            let token = try await bed.token(TwoTenants.viewer)
            let statuses = try await withThrowingTaskGroup(of: HTTPResponse.Status.self) { group in
                for number in 0..<12 {
                    group.addTask {
                        try await bed.post("/api/v1/tenants", #"{"name":"N","slug":"n-\#(number)"}"#, as: token).status
                    }
                }
                return try await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
            }
            #expect(statuses == [.created: 10, .tooManyRequests: 2])
        }
    }

    @Test func closedMeansClosed() async throws {
        try await Testbed.run { bed in
            let refused = try await bed.post("/api/v1/auth/register", Self.body("eva@example.com", "evas"))
            #expect(refused.status == .forbidden && refused.code == "registration_closed")
            let bootstrap = try await bed.bootstrap("the first one may", "eva@example.com")
            #expect(bootstrap.status == .forbidden && bootstrap.code == "wrong_bootstrap_token")
        }
    }

    @Test func faultsNameTheirPlace() async throws {
        try await Testbed.run(options: Self.open) { bed in
            let wrong = #"{"user":{"email":"x","name":"E","password":"short","role":"owner"},"tenant":{"slug":"-"}}"#
            let answered = try await bed.post("/api/v1/auth/register", wrong)
            #expect(
                answered.faults == [
                    "user.email: invalid_email", "user.password: too_short", "user.role: unknown_field",
                    "tenant.name: required", "tenant.slug: invalid_slug",
                ])
            #expect(
                try await bed.post("/api/v1/auth/register", #"{"user":[],"tenant":null}"#).faults
                    == ["user: wrong_type", "tenant: required"])
        }
    }

    @Test func theFirstOwnerIsMadeOnce() async throws {
        try await Testbed.run(options: Self.open) { bed in
            #expect(try await bed.bootstrap("guessed", "eva@example.com").code == "wrong_bootstrap_token")
            let answers = try await withThrowingTaskGroup(of: Answered.self) { group in
                for number in 0..<6 {
                    group.addTask { try await bed.bootstrap("the first one may", "eva\(number)@example.com") }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let made = answers.filter { $0.status == .created }
            #expect(made.count == 1)
            #expect(answers.filter { $0.code == "already_bootstrapped" }.count == 5)
            #expect((made.first?.json["tenant"] as? [String: Any])?["slug"] as? String == "default")
            let people: Int64? = try await bed.database.asSuperuser { connection in
                try await connection.first("SELECT count(*) FROM users WHERE email LIKE 'eva%'")
            }
            #expect(people == 1, "nothing is left of the others")
        }
    }
}

extension Testbed {
    fileprivate func bootstrap(_ token: String, _ email: String) async throws -> Answered {
        try await post(
            "/api/v1/auth/bootstrap",
            """
            {"token":"\(token)","user":{"email":"\(email)","name":"Eva","password":"long enough to do"}}
            """)
    }
}
