import Foundation
import HTTPTypes
import Hummingbird
import Postgres
import Shared
import Support
import Testing

@testable import Query

@Suite struct RoleRoutesTests {
    @Test func rolesOfTheHouseComeFirst() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let first = try await bed.get("/api/v1/roles?limit=4", as: token)
            #expect(first.data.texts("name") == ["viewer", "operator", "manager", "admin"])
            let cursor = try #require(first.json["next_cursor"] as? String)
            let rest = try await bed.get("/api/v1/roles?limit=4&cursor=\(cursor)", as: token)
            #expect(rest.data.texts("name") == ["owner", "guest", "unused"] && rest.json["next_cursor"] is NSNull)
            let viewer = try #require(first.data.first?["id"] as? String)
            #expect(try await bed.get("/api/v1/roles/\(viewer)", as: token).json["name"] as? String == "viewer")
            for method in [HTTPRequest.Method.patch, .delete] {
                let refused = try await bed.send(method, "/api/v1/roles/\(viewer)", "{}", as: token)
                #expect(refused.status == .conflict && refused.code == "built_in")
            }
        }
    }

    /// The names that the database takes for roles of the house are those of the code.
    @Test func theDatabaseKnowsTheRolesOfTheHouse() async throws {
        try await Testbed.run { bed in
            for role in Role.allCases { try await bed.promote(TwoTenants.both, to: role.rawValue) }
            let error = await #expect(throws: PostgresError.self) {
                try await bed.promote(TwoTenants.both, to: "emperor")
            }
            #expect(error?.sqlState == "23503")
        }
    }

    @Test func aRoleOfOnesOwnGivesItsScopes() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let made = try await bed.post("/api/v1/roles", #"{"name":"Night","scopes":["sites:read"]}"#, as: token)
            #expect(made.status == .created, "\(made.text)")
            let path = try #require(made.headers[.location])
            let id = try await bed.userID(TwoTenants.viewer)
            #expect(try await bed.send(.put, "/api/v1/users/\(id)", #"{"role":"Night"}"#, as: token).status == .ok)
            let signedIn = try await bed.signIn(TwoTenants.viewer)
            let theirs = try #require(signedIn.json["access_token"] as? String)
            #expect(try await bed.get("/api/v1/users/me", as: theirs).json["scopes"] as? [String] == ["sites:read"])
            #expect(try await bed.get("/api/v1/sites", as: theirs).status == .ok)
            #expect(try await bed.get("/api/v1/devices", as: theirs).status == .forbidden)
            let change = #"{"name":"Nights","scopes":["devices:read"]}"#
            #expect(try await bed.send(.patch, path, change, as: token).json["name"] as? String == "Nights")
            #expect(try await bed.get("/api/v1/sites", as: theirs).status == .forbidden)
            #expect(try await bed.get("/api/v1/devices", as: theirs).status == .ok)
            #expect(try await bed.get("/api/v1/users/\(id)", as: token).json["role"] as? String == "Nights")
            let inUse = try await bed.send(.delete, path, nil, as: token)
            #expect(inUse.status == .conflict && inUse.code == "role_in_use")
            #expect(try await bed.send(.put, "/api/v1/users/\(id)", #"{"role":"viewer"}"#, as: token).status == .ok)
            #expect(try await bed.send(.delete, path, nil, as: token).status == .noContent)
            for action in ["role.created", "role.changed", "role.deleted"] {
                #expect(try await bed.audited(action) == 1, "\(action)")
            }
        }
    }

    @Test func faultsAreNamedAndNamesAreUnique() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let wrong = try await bed.post("/api/v1/roles", #"{"name":"Owner","scopes":["all"]}"#, as: token)
            #expect(wrong.faults == ["name: invalid_name", "scopes[0]: unknown_scope"])
            for lookalike in ["ow\u{200B}ner", "viewer\u{301}", "\u{FF4F}wner", " "] {
                let body = "{\"name\":\"\(lookalike)\",\"scopes\":[]}"
                #expect(try await bed.post("/api/v1/roles", body, as: token).status == .unprocessableContent)
            }
            let twice = try await bed.post("/api/v1/roles", #"{"name":"guest","scopes":[]}"#, as: token)
            #expect(twice.status == .conflict)
        }
    }

    @Test func nobodyMakesARoleBeyondTheirOwn() async throws {
        try await Testbed.run(accessTimeToLive: .zero) { bed in
            try await bed.promote(TwoTenants.viewer, to: "admin")
            let (owner, admin) = (try await bed.token(TwoTenants.owner), try await bed.token(TwoTenants.viewer))
            let beyond = #"{"name":"Closer","scopes":["tenant:delete"]}"#
            #expect(try await bed.post("/api/v1/roles", beyond, as: admin).code == "scope_not_held")
            let made = try await bed.post("/api/v1/roles", beyond, as: owner)
            let path = try #require(made.headers[.location])
            for (method, body) in [(HTTPRequest.Method.patch, #"{"scopes":[]}"#), (.delete, nil)] {
                #expect(try await bed.send(method, path, body, as: admin).code == "scope_not_held")
            }
            let role = "/api/v1/roles/\(TwoTenants.role)"
            let raised = try await bed.send(.patch, role, #"{"scopes":["tenant:delete"]}"#, as: admin)
            #expect(raised.code == "scope_not_held")
        }
    }
}
