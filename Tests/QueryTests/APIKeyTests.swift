import Foundation
import HTTPTypes
import Postgres
import Shared
import Support
import Testing

@testable import Query

@Suite struct APIKeyTests {
    private static let service = "{\"name\":\"BI\",\"kind\":\"service\",\"scopes\":[\"series:read\",\"sites:read\"]}"

    @Test func aProgramDoesWhatItsScopesSay() async throws {
        try await Testbed.run { bed in
            let made = try await bed.post("/api/v1/api-keys", Self.service, as: bed.token(TwoTenants.owner))
            #expect(made.status == .created, "\(made.text)")
            #expect(made.headers[.cacheControl] == "no-store")
            let id = try #require(made.json["id"] as? String)
            #expect(made.headers[.location] == "/api/v1/api-keys/\(id)")
            let key = try #require(made.json["key"] as? String)
            let prefix = try #require(made.json["prefix"] as? String)
            #expect(prefix.hasPrefix("svc_north_") && key.hasPrefix(prefix))
            #expect(try await bed.get("/api/v1/sites", as: key).data.texts("code") == ["T01", "T02", "W01", "P01"])
            #expect(try await bed.get("/api/v1/devices", as: key).status == .forbidden)
            #expect(try await bed.get("/api/v1/users/me", as: key).code == "no_session")
            #expect(try await bed.post("/api/v1/auth/logout", "", as: key).code == "no_session")
            let uses = "pulsegate_api_key_uses_total{scope=\"sites:read\"} 1"
            #expect(bed.services.metrics.exposition().contains(uses))

            let owner = try await bed.token(TwoTenants.owner)
            let shown = try await bed.get("/api/v1/api-keys/\(id)", as: owner)
            #expect(shown.json["key"] == nil && shown.json["last_used_at"] is String, "\(shown.text)")
            #expect(shown.json["created_by"] is String)
            let logged = try await bed.get("/api/v1/audit-logs?action=api_key.created", as: owner)
            #expect(logged.data.count == 1 && !logged.text.contains(key))
            #expect(((logged.data.first?["after"] as? [String: Any])?["id"]) as? String == id)
        }
    }

    @Test func aStoresKeyIsWhatIngestKnows() async throws {
        try await Testbed.run { bed in
            let body = "{\"name\":\"Till\",\"kind\":\"store\",\"store_id\":\"\(TwoTenants.t01)\"}"
            let made = try await bed.post("/api/v1/api-keys", body, as: bed.token(TwoTenants.owner))
            let secret = try #require(made.json["key"] as? String)
            let key = try #require(StoreKey(parsing: secret))
            #expect(key.tenantSlug == "north" && key.storeCode == "T01")
            let kept: Int64? = try await bed.database.asSuperuser {
                try await $0.first("SELECT count(*) FROM api_keys WHERE sha256 = \(key.sha256) AND kind = 'store'")
            }
            #expect(kept == 1)
            #expect(try await bed.get("/api/v1/sites", as: secret).status == .unauthorized, "gateways read nothing")
        }
    }

    @Test func whatIsChangedOrRevokedActs() async throws {
        try await Testbed.run { bed in
            let owner = try await bed.token(TwoTenants.owner)
            let made = try await bed.post("/api/v1/api-keys", Self.service, as: owner)
            let (id, key) = (made.json["id"] as? String ?? "", made.json["key"] as? String ?? "")
            let path = "/api/v1/api-keys/\(id)"
            #expect(try await bed.get("/api/v1/sites", as: key).status == .ok)
            let unnamed = try await bed.send(.patch, path, "{\"name\":null}", as: owner)
            #expect(unnamed.faults == ["name: required"])
            let changed = try await bed.send(.patch, path, "{\"scopes\":[\"series:read\"]}", as: owner)
            #expect(changed.json["scopes"] as? [String] == ["series:read"] && changed.json["name"] as? String == "BI")
            #expect(try await bed.get("/api/v1/sites", as: key).status == .forbidden)
            #expect(try await bed.send(.delete, path, nil, as: owner).status == .noContent)
            #expect(try await bed.get("/api/v1/series", as: key).status == .unauthorized)
            for method in [HTTPRequest.Method.get, .delete] {
                #expect(try await bed.send(method, path, nil, as: owner).status == .notFound)
            }
        }
    }

    @Test func anExpiredKeyIsNone() async throws {
        try await Testbed.run(accessTimeToLive: .zero) { bed in
            let owner = try await bed.token(TwoTenants.owner)
            let made = try await bed.post("/api/v1/api-keys", Self.service, as: owner)
            let key = try #require(made.json["key"] as? String)
            #expect(try await bed.get("/api/v1/sites", as: key).status == .ok)
            try await bed.database.asSuperuser {
                try await $0.execute(script: "UPDATE api_keys SET expires_at = now()")
            }
            #expect(try await bed.get("/api/v1/sites", as: key).status == .unauthorized)
        }
    }

    @Test func rotationLetsBothWorkForAWhile() async throws {
        try await Testbed.run { bed in
            let owner = try await bed.token(TwoTenants.owner)
            let made = try await bed.post("/api/v1/api-keys", Self.service, as: owner)
            let (id, first) = (made.json["id"] as? String ?? "", made.json["key"] as? String ?? "")
            let rotated = try await bed.post("/api/v1/api-keys/\(id)/rotate", "{\"overlap_seconds\":60}", as: owner)
            let (next, second) = (rotated.json["id"] as? String ?? "", rotated.json["key"] as? String ?? "")
            #expect(rotated.status == .ok && next != id, "\(rotated.text)")
            for key in [first, second] { #expect(try await bed.get("/api/v1/sites", as: key).status == .ok) }
            let third = try await bed.post("/api/v1/api-keys/\(next)/rotate", "{\"overlap_seconds\":0}", as: owner)
            #expect(try await bed.get("/api/v1/sites", as: second).status == .unauthorized)
            #expect(try await bed.get("/api/v1/sites", as: third.json["key"] as? String).status == .ok)
        }
    }

    @Test func aKeysEndStaysItsEnd() async throws {
        try await Testbed.run { bed in
            let owner = try await bed.token(TwoTenants.owner)
            let end = "2999-01-01T00:00:00Z"
            let body = Self.service.replacing("\"name\"", with: "\"expires_at\":\"\(end)\",\"name\"")
            let id = try #require(try await bed.post("/api/v1/api-keys", body, as: owner).json["id"] as? String)
            let rotated = try await bed.post("/api/v1/api-keys/\(id)/rotate", "{\"overlap_seconds\":0}", as: owner)
            #expect(rotated.json["expires_at"] as? String == end, "\(rotated.text)")
            let again = try await bed.post("/api/v1/api-keys/\(id)/rotate", "{}", as: owner)
            #expect(again.status == .conflict && again.code == "expired")
        }
    }

    /// Else one that is about to end, or to be revoked, would live on in another.
    @Test func programsIssueNoKeysOfPrograms() async throws {
        try await Testbed.run { bed in
            let scopes = "[\"api-keys:read\",\"api-keys:write\",\"series:read\",\"sites:read\"]"
            let body = "{\"name\":\"Setup\",\"kind\":\"service\",\"scopes\":\(scopes)}"
            let made = try await bed.post("/api/v1/api-keys", body, as: bed.token(TwoTenants.owner))
            let (id, key) = (made.json["id"] as? String ?? "", made.json["key"] as? String ?? "")
            let path = "/api/v1/api-keys/\(id)"
            #expect(try await bed.post("/api/v1/api-keys", Self.service, as: key).status == .forbidden)
            #expect(try await bed.post(path + "/rotate", "{}", as: key).status == .forbidden)
            #expect(try await bed.send(.patch, path, "{\"expires_at\":null}", as: key).status == .forbidden)
            let store = "{\"name\":\"Till\",\"kind\":\"store\",\"store_id\":\"\(TwoTenants.t01)\"}"
            let issued = try await bed.post("/api/v1/api-keys", store, as: key)
            #expect(issued.status == .created && issued.json["created_by"] is NSNull, "\(issued.text)")
        }
    }

    @Test func nobodyGrantsWhatTheyDoNotHold() async throws {
        try await Testbed.run { bed in
            try await bed.database.asSuperuser {
                try await $0.execute(
                    script: """
                        UPDATE memberships SET role = 'admin' WHERE user_id = (SELECT id FROM users WHERE email LIKE 'viewer@%');
                        UPDATE api_keys SET scopes = '{tenant:delete}' WHERE id = '\(TwoTenants.serviceKey)';
                        """)
            }
            let admin = try await bed.token(TwoTenants.viewer)
            let asked = "{\"name\":\"x\",\"kind\":\"service\",\"scopes\":[\"tenant:delete\"]}"
            for (method, path, body) in [
                (HTTPRequest.Method.post, "/api/v1/api-keys", asked),
                (.post, "/api/v1/api-keys/\(TwoTenants.serviceKey)/rotate", "{}"),
                (.patch, "/api/v1/api-keys/\(TwoTenants.serviceKey)", "{\"expires_at\":null}"),
            ] {
                let refused = try await bed.send(method, path, body, as: admin)
                #expect(refused.status == .forbidden && refused.code == "scope_not_held", "\(path): \(refused.text)")
            }
        }
    }

    /// A program reaches all sites: it must not be a way around one's own limits.
    @Test func membersOfSomeSitesHaveTheKeysOfTheirStores() async throws {
        try await Testbed.run { bed in
            try await bed.database.asSuperuser {
                try await $0.execute(script: "UPDATE memberships SET role = 'admin' WHERE site_ids <> '{}'")
            }
            let limited = try await bed.token(TwoTenants.limited)
            #expect(try await bed.post("/api/v1/api-keys", Self.service, as: limited).code == "site_limited")
            #expect(try await bed.get("/api/v1/api-keys", as: limited).data.isEmpty)
            for key in [TwoTenants.serviceKey, TwoTenants.storeKey] {
                let path = "/api/v1/api-keys/\(key)"
                #expect(try await bed.get(path, as: limited).status == .notFound)
                #expect(try await bed.post(path + "/rotate", "{}", as: limited).status == .notFound)
            }
            for (store, status) in [
                (TwoTenants.t01, HTTPResponse.Status.unprocessableContent), (TwoTenants.t02, .created),
            ] {
                let body = "{\"name\":\"Till\",\"kind\":\"store\",\"store_id\":\"\(store)\"}"
                #expect(try await bed.post("/api/v1/api-keys", body, as: limited).status == status)
            }
            #expect(try await bed.get("/api/v1/api-keys", as: limited).data.count == 1)
        }
    }

    @Test func whoSawAnOlderVersionChangesNothing() async throws {
        try await Testbed.run { bed in
            let owner = try await bed.token(TwoTenants.owner)
            let path = "/api/v1/api-keys/\(TwoTenants.storeKey)"
            let seen = try #require(try await bed.get(path, as: owner).headers[.eTag])
            let first = try await bed.send(.patch, path, "{\"name\":\"One\"}", as: owner, headers: [.ifMatch: seen])
            #expect(first.status == .ok)
            for method in [HTTPRequest.Method.patch, .delete] {
                let late = try await bed.send(method, path, "{\"name\":\"Two\"}", as: owner, headers: [.ifMatch: seen])
                #expect(late.status == .preconditionFailed)
            }
            let tag = try #require(first.headers[.eTag])
            #expect(
                try await bed.send(.delete, path, nil, as: owner, headers: [.ifMatch: "\"x\", \(tag)"]).status
                    == .noContent)
        }
    }

    @Test(arguments: [
        ("{}", ["name: required", "kind: required"]),
        (
            "{\"name\":\"\",\"kind\":\"x\",\"scopes\":[\"a:b\"]}",
            ["name: invalid_length", "kind: unknown_value", "scopes[0]: unknown_scope"]
        ),
        ("{\"name\":\"x\",\"kind\":null,\"scopes\":[\"sites:read\"]}", ["kind: required"]),
        ("{\"name\":\"x\",\"kind\":\"store\",\"scopes\":[]}", ["store_id: required", "scopes: not_allowed"]),
        ("{\"name\":\"x\",\"kind\":\"store\",\"store_id\":\"\(TwoTenants.southernStore)\"}", ["store_id: unknown"]),
        ("{\"name\":\"x\",\"kind\":\"service\",\"scopes\":[1]}", ["scopes: wrong_type", "scopes: required"]),
        (
            "{\"name\":\"x\",\"kind\":\"service\",\"scopes\":[\"sites:read\"],\"expires_at\":\"2020-01-01T00:00:00Z\"}",
            ["expires_at: not_in_future"]
        ),
        (
            "{\"name\":\"x\",\"kind\":\"service\",\"scopes\":[\"sites:read\"],\"expires_at\":true,\"more\":1}",
            ["expires_at: invalid_time", "more: unknown_field"]
        ),
    ])
    func refusesWhatIsNoKey(body: String, faults: [String]) async throws {
        try await Testbed.run { bed in
            let refused = try await bed.post("/api/v1/api-keys", body, as: bed.token(TwoTenants.owner))
            #expect(refused.status == .unprocessableContent && refused.faults == faults, "\(refused.text)")
        }
    }

    @Test func theListIsFiltered() async throws {
        try await Testbed.run { bed in
            let owner = try await bed.token(TwoTenants.owner)
            for (query, names) in [
                ("", ["Gateway", "Reports"]), ("?kind=service", ["Reports"]), ("?store=T01", ["Gateway"]),
            ] {
                #expect(try await bed.get("/api/v1/api-keys\(query)", as: owner).data.texts("name") == names)
            }
        }
    }

    /// A key is its tenant's: with another slug in it nobody issued it, and with another tenant named it is refused.
    @Test func aKeyOfAnotherTenantOpensNothing() async throws {
        try await Testbed.run { bed in
            let made = try await bed.post(
                "/api/v1/api-keys", #"{"name":"S","kind":"service","scopes":["sites:read"]}"#,
                as: bed.token(TwoTenants.southern))
            let key = try #require(made.json["key"] as? String)
            #expect(try await bed.get("/api/v1/sites", as: key).data.texts("name") == ["Harbour", "Southern pier"])
            let relabelled = key.replacing("svc_south_", with: "svc_north_")
            #expect(try await bed.get("/api/v1/sites", as: relabelled).status == .unauthorized)
            let misdirected = try await bed.get("/api/v1/sites", as: key, headers: [.tenantID: "north"])
            #expect(misdirected.status == .forbidden && misdirected.code == "wrong_tenant")
        }
    }
}
