import Foundation
import HTTPTypes
import Hummingbird
import Postgres
import Shared
import Support
import Testing

@testable import Query

/// Members as admins manage them.
@Suite struct UserTests {
    private static let chosen = "chosen by an admin"

    private static func body(
        _ email: String, role: String = "viewer", sites: [UUID] = [], password: String? = chosen
    ) -> String {
        let sites = sites.map { "\"\($0)\"" }.joined(separator: ",")
        let password = password.map { ",\"password\":\"\($0)\"" } ?? ""
        return "{\"email\":\"\(email)\",\"name\":\"New\",\"role\":\"\(role)\",\"site_ids\":[\(sites)]\(password)}"
    }

    @Test func theListHasMembersAndThoseInvited() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            var paged: [[String: Any]] = []
            var cursor = ""
            repeat {
                let page = try await bed.get("/api/v1/users?limit=2\(cursor)", as: token)
                paged += page.data
                cursor = (page.json["next_cursor"] as? String).map { "&cursor=\($0)" } ?? ""
            } while !cursor.isEmpty
            let names = ["owner", "viewer", "limited", "guest", "both", "newcomer", "second"]
            #expect(Set(paged.texts("email")) == Set(names.map(TwoTenants.email)) && paged.count == names.count)
            #expect(
                paged.filter { $0["status"] as? String == "invited" }.texts("email") == [
                    "newcomer@example.com", "second@example.com",
                ])
            #expect(!paged.contains { $0.keys.contains("password_hash") })
        }
    }

    @Test func aMemberMadeWithAPasswordChangesItFirst() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let made = try await bed.post(
                "/api/v1/users", Self.body("Ana@Example.com", sites: [TwoTenants.t01]), as: token)
            #expect(made.status == .created, "\(made.text)")
            #expect(made.json["email"] as? String == "ana@example.com" && made.json["status"] as? String == "active")
            let id = try #require(made.json["id"] as? String)
            #expect(made.headers[.location] == "/api/v1/users/\(id)")
            #expect(try await bed.get("/api/v1/users/\(id)", as: token).text == made.text)
            let signedIn = try await bed.logIn("ana", Self.chosen)
            let own = try #require(signedIn.json["access_token"] as? String)
            #expect(try await bed.get("/api/v1/sites", as: own).code == "password_change_required")
            let changed = try await bed.post(
                "/api/v1/auth/password",
                "{\"old_password\":\"\(Self.chosen)\",\"new_password\":\"chosen by Ana alone\"}",
                as: own)
            let fresh = try #require(changed.json["access_token"] as? String)
            #expect(try await bed.get("/api/v1/sites", as: fresh).data.texts("code") == ["T01"])
            #expect(try await bed.audited("user.created") == 1)
            let again = try await bed.post("/api/v1/users", Self.body("ana@example.com"), as: token)
            #expect(again.status == .conflict && again.code == "already_member")
        }
    }

    @Test(arguments: [
        (#"{"email":"x","name":"","role":"viewer"}"#, ["email: invalid_email", "name: invalid_length"]),
        (#"{"email":"a@b.c","name":"A"}"#, ["role: required"]),
        (#"{"email":"a@b.c","name":"A","role":"emperor","password":"long enough to do"}"#, ["role: unknown"]),
        (#"{"email":"a@b.c","name":"A","role":"viewer","password":"short"}"#, ["password: too_short"]),
        (
            #"{"email":"a@b.c","name":"A","role":"viewer","site_ids":["0b000000-0000-7000-8000-000000000011"]}"#,
            ["site_ids: unknown"]
        ),
        (
            #"{"email":"a@b.c","name":"A","role":"viewer","site_ids":["x"],"is_owner":true}"#,
            ["site_ids[0]: invalid_id", "is_owner: unknown_field"]
        ),
    ])
    func faultsAreNamed(body: String, faults: [String]) async throws {
        try await Testbed.run { bed in
            let answered = try await bed.post("/api/v1/users", body, as: bed.token(TwoTenants.owner))
            #expect(answered.status == .unprocessableContent && answered.faults == faults, "\(answered.text)")
        }
    }

    @Test func nobodyGrantsWhatTheyDoNotHold() async throws {
        try await Testbed.run(accessTimeToLive: .zero) { bed in
            try await bed.promote(TwoTenants.viewer, to: "admin")
            try await bed.promote(TwoTenants.limited, to: "admin")
            let admin = try await bed.token(TwoTenants.viewer)
            let limited = try await bed.token(TwoTenants.limited)
            let owner = try await bed.userID(TwoTenants.owner)
            let viewer = try await bed.userID(TwoTenants.viewer)
            let refusals = [
                try await bed.post("/api/v1/users", Self.body("x@example.com", role: "owner"), as: admin),
                try await bed.send(.put, "/api/v1/users/\(owner)", #"{"role":"viewer"}"#, as: admin),
                try await bed.send(.delete, "/api/v1/users/\(owner)", nil, as: admin),
                try await bed.send(.put, "/api/v1/users/\(viewer)", #"{"role":"owner"}"#, as: admin),
            ]
            for refused in refusals { #expect(refused.status == .forbidden && refused.code == "scope_not_held") }
            let beyond = [
                try await bed.post("/api/v1/users", Self.body("x@example.com"), as: limited),
                try await bed.post("/api/v1/users", Self.body("x@example.com", sites: [TwoTenants.t01]), as: limited),
                try await bed.send(.delete, "/api/v1/users/\(viewer)", nil, as: limited),
            ]
            for refused in beyond { #expect(refused.status == .forbidden && refused.code == "site_limited") }
            let within = Self.body("x@example.com", sites: [TwoTenants.t02])
            #expect(try await bed.post("/api/v1/users", within, as: limited).status == .created)
        }
    }

    @Test func aRoleTakenAwayCountsAtOnce() async throws {
        try await Testbed.run { bed in
            let (token, id) = (try await bed.token(TwoTenants.owner), try await bed.userID(TwoTenants.viewer))
            let theirs = try await bed.token(TwoTenants.viewer)
            #expect(try await bed.get("/api/v1/sites", as: theirs).status == .ok)
            let changed = try await bed.send(.put, "/api/v1/users/\(id)", #"{"role":"guest"}"#, as: token)
            #expect(changed.status == .ok && changed.json["role"] as? String == "guest", "\(changed.text)")
            #expect(try await bed.get("/api/v1/sites", as: theirs).status == .forbidden)
            let removed = try await bed.send(.delete, "/api/v1/users/\(id)", nil, as: token)
            #expect(removed.status == .noContent)
            #expect(try await bed.get("/api/v1/users/me", as: theirs).status == .unauthorized)
            #expect(try await bed.logIn(TwoTenants.viewer, TwoTenants.password).code == "no_membership")
            #expect(try await bed.get("/api/v1/users/\(id)", as: token).status == .notFound)
            #expect(try await bed.audited("user.role_changed") == 1)
            #expect(try await bed.audited("user.removed") == 1)
        }
    }

    /// The sessions that a person had before do not come back with a new membership.
    @Test func whoComesBackSignsInAnew() async throws {
        try await Testbed.runWithMail(accessTimeToLive: .zero) { bed, mail in
            let (token, id) = (try await bed.token(TwoTenants.owner), try await bed.userID(TwoTenants.viewer))
            let before = try await bed.signIn(TwoTenants.viewer)
            #expect(try await bed.send(.delete, "/api/v1/users/\(id)", nil, as: token).status == .noContent)
            let invited = try await bed.post(
                "/api/v1/users", Self.body(TwoTenants.email(TwoTenants.viewer), password: nil), as: token)
            #expect(invited.json["status"] as? String == "invited", "\(invited.text)")
            let accepted = try await bed.accept(mail.next().token, TwoTenants.password)
            #expect(accepted.status == .created, "\(accepted.text)")
            let access = try #require(before.json["access_token"] as? String)
            #expect(try await bed.get("/api/v1/sites", as: access).status == .unauthorized)
            #expect(try await bed.refresh(#require(before.json["refresh_token"] as? String)).status == .unauthorized)
        }
    }

    @Test func whatIsAPersonsOwnIsTheirs() async throws {
        try await Testbed.run { bed in
            let (token, id) = (try await bed.token(TwoTenants.owner), try await bed.userID(TwoTenants.viewer))
            let path = "/api/v1/users/\(id)"
            let all = #"{"role":"operator","email":"viewer@example.com","name":"Viewer"}"#
            #expect(try await bed.send(.put, path, all, as: token).status == .ok)
            let other = #"{"role":"operator","email":"other@example.com","name":"Other"}"#
            #expect(try await bed.send(.put, path, other, as: token).faults == ["email: read_only", "name: read_only"])
            let password = #"{"role":"operator","password":"set by somebody else"}"#
            #expect(try await bed.send(.put, path, password, as: token).faults == ["password: unknown_field"])
            let theirs = try await bed.token(TwoTenants.viewer)
            let renamed = try await bed.send(.patch, "/api/v1/users/me", #"{"name":"Vivian"}"#, as: theirs)
            #expect(renamed.json["name"] as? String == "Vivian")
            #expect(try await bed.get(path, as: token).json["name"] as? String == "Vivian")
            let stale = try await bed.send(
                .put, path, #"{"role":"viewer"}"#, as: token, headers: [.ifMatch: "\"stale\""])
            #expect(stale.status == .preconditionFailed)
        }
    }

    @Test func theLastOwnerStays() async throws {
        try await Testbed.run { bed in
            let (token, id) = (try await bed.token(TwoTenants.owner), try await bed.userID(TwoTenants.owner))
            for (method, body) in [(HTTPRequest.Method.put, #"{"role":"admin"}"#), (.delete, nil)] {
                let refused = try await bed.send(method, "/api/v1/users/\(id)", body, as: token)
                #expect(refused.status == .conflict && refused.code == "last_owner", "\(refused.text)")
            }
            #expect(try await bed.get("/api/v1/users/me", as: token).json["role"] as? String == "owner")
        }
    }

    /// Two owners who remove each other: one of them remains, in each of many rounds.
    @Test func ofTwoOwnersWhoGoAtOnceOneStays() async throws {
        try await Testbed.run(accessTimeToLive: .zero) { bed in
            try await bed.promote(TwoTenants.viewer, to: "owner")
            let ids = [try await bed.userID(TwoTenants.owner), try await bed.userID(TwoTenants.viewer)]
            for _ in 0..<5 {
                let tokens = [try await bed.token(TwoTenants.owner), try await bed.token(TwoTenants.viewer)]
                let statuses = try await withThrowingTaskGroup(of: HTTPResponse.Status.self) { group in
                    for (token, id) in zip(tokens, ids.reversed()) {
                        group.addTask {
                            try await bed.send(.put, "/api/v1/users/\(id)", #"{"role":"admin"}"#, as: token).status
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                // The second comes too late to be an owner, or finds that it would remove the last one.
                #expect(statuses.filter { $0 == .ok }.count == 1, "\(statuses)")
                try await bed.promote(TwoTenants.owner, to: "owner")
                try await bed.promote(TwoTenants.viewer, to: "owner")
            }
        }
    }
}

extension Testbed {
    func userID(_ user: String) async throws -> String {
        let id: UUID? = try await database.asSuperuser { connection in
            try await connection.first("SELECT id FROM users WHERE email = \(TwoTenants.email(user))")
        }
        return try #require(id).uuidString.lowercased()
    }

    func promote(_ user: String, to role: String) async throws {
        try await database.asSuperuser { connection in
            _ = try await connection.run(
                """
                UPDATE memberships m SET role = \(role) FROM users u
                 WHERE u.id = m.user_id AND u.email = \(TwoTenants.email(user))
                """)
        }
    }

    func accept(_ token: String, _ password: String, name: String = "Newcomer") async throws -> Answered {
        try await post(
            "/api/v1/auth/invitations/accept",
            "{\"token\":\"\(token)\",\"name\":\"\(name)\",\"password\":\"\(password)\"}")
    }
}
