import Foundation
import Hummingbird
import Postgres
import Shared
import Support
import Testing

@testable import Query

@Suite struct PlacesTests {
    @Test func sitesHaveTheirFields() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.viewer)
            let site = try await bed.get("/api/v1/sites/T01", as: token)
            let fields = [
                "address", "code", "created_at", "expected_interval_s", "id", "kind", "latitude", "longitude", "name",
                "settings", "timezone", "updated_at",
            ]
            #expect(site.json.keys.sorted() == fields)
            #expect(site.json["id"] as? String == TwoTenants.t01.lowercaseString)
            #expect(site.json["timezone"] as? String == "Europe/Madrid")
            #expect(try await bed.get("/api/v1/sites/\(TwoTenants.t01)", as: token).text == site.text)
            #expect(Timestamp(rfc3339: site.json["created_at"] as? String ?? "") != nil)
        }
    }

    @Test(arguments: [
        ("sites", ["T01", "T02", "W01", "P01"]), ("stores", ["T01", "T02"]), ("warehouses", ["W01"]),
        ("sites?kind=parking", ["P01"]), ("sites?kind=parking,warehouse", ["W01", "P01"]),
        ("spaces", ["B1", "R1", "B2"]), ("spaces?site=P01", ["B1", "B2"]), ("spaces?kind=room", ["R1"]),
        ("spaces?state=occupied", ["B1"]), ("spaces?state=free", []), ("spaces?state=unknown&site=P01", ["B2"]),
    ])
    func listsAndFilters(path: String, codes: [String]) async throws {
        try await Testbed.run { bed in
            let answered = try await bed.get("/api/v1/\(path)", as: try await bed.token(TwoTenants.viewer))
            #expect(answered.data.texts("code") == codes, "\(answered.text)")
            #expect(answered.json["next_cursor"] is NSNull)
        }
    }

    @Test func kindsAndFormsAreChecked() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.viewer)
            #expect(try await bed.get("/api/v1/sites?kind=castle", as: token).faults == ["kind: unknown_value"])
            #expect(try await bed.get("/api/v1/stores/W01", as: token).status == .notFound)
            #expect(try await bed.get("/api/v1/sites/T09", as: token).status == .notFound)
            #expect(try await bed.get("/api/v1/spaces/nonsense", as: token).status == .notFound)
            #expect(try await bed.get("/api/v1/devices/nonsense", as: token).status == .notFound)
            #expect(try await bed.get("/api/v1/sites?limit=201", as: token).status == .badRequest)
        }
    }

    @Test func pagesGoOnWhereTheyEnded() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.viewer)
            let first = try await bed.get("/api/v1/sites?limit=3", as: token)
            #expect(first.data.texts("code") == ["T01", "T02", "W01"])
            let cursor = try #require(first.json["next_cursor"] as? String)
            let second = try await bed.get("/api/v1/sites?limit=3&cursor=\(cursor)", as: token)
            #expect(second.data.texts("code") == ["P01"])
            #expect(second.json["next_cursor"] is NSNull)

            let southern = try await bed.token(TwoTenants.southern)
            for (path, who) in [("sites?kind=store", token), ("spaces?limit=3", token), ("sites?limit=3", southern)] {
                let foreign = try await bed.get("/api/v1/\(path)&cursor=\(cursor)", as: who)
                #expect(foreign.status == .badRequest && foreign.code == "invalid_cursor", "\(path)")
            }
        }
    }

    @Test func unchangedIsNotSentAgain() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.viewer)
            let tag = try #require(try await bed.get("/api/v1/sites/T01", as: token).headers[.eTag])
            let again = try await bed.get("/api/v1/sites/T01", as: token, headers: [.ifNoneMatch: "\"x\", W/\(tag)"])
            #expect(again.status == .notModified)
            #expect(again.text.isEmpty)
            try await bed.database.asSuperuser { try await $0.execute(script: "UPDATE sites SET name = 'Renamed'") }
            let changed = try await bed.get("/api/v1/sites/T01", as: token, headers: [.ifNoneMatch: tag])
            #expect(changed.status == .ok)
            #expect(changed.json["name"] as? String == "Renamed")
        }
    }

    @Test func spacesShowTheStateOfTheirDevice() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.viewer)
            let bay = try await bed.get("/api/v1/spaces/\(TwoTenants.bay)", as: token).json
            #expect(bay["state"] as? String == "occupied")
            #expect(bay["device_eui"] as? String == TwoTenants.bayEUI)
            #expect(bay["state_since"] is String)
            let room = try await bed.get("/api/v1/spaces/\(TwoTenants.room)", as: token).json
            #expect(room["state"] as? String == "unknown", "silent for a day")
        }
    }

    @Test func devicesShowTheirNewestReading() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.viewer)
            let device = try await bed.get("/api/v1/devices/70B3D57ED0000001", as: token).json
            #expect(device["battery"] as? Double == 3.6)
            #expect(device["rssi"] as? Double == -97)
            #expect(device["site_id"] as? String == "0a000000-0000-7000-8000-000000000014", "its space's site")
            let all = try await bed.get("/api/v1/devices", as: token).data
            #expect(all.texts("device_eui") == [TwoTenants.bayEUI, TwoTenants.roomEUI, TwoTenants.looseEUI])
            #expect(try await bed.get("/api/v1/devices?site=P01", as: token).data.count == 1)
            #expect(try await bed.get("/api/v1/devices?space=R1", as: token).data.count == 1)
            #expect(try await bed.get("/api/v1/devices?profile_id=\(TwoTenants.profile)", as: token).data.count == 1)
            #expect(try await bed.get("/api/v1/devices?profile_id=1", as: token).faults == ["profile_id: invalid_id"])
        }
    }

    @Test func readingsGoFromNewestToOldest() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.viewer)
            let path = "/api/v1/devices/\(TwoTenants.bayEUI)/readings"
            let all = try await bed.get(path, as: token).data
            #expect(all.compactMap { $0["fcnt"] as? Int } == [5, 4, 3, 2, 1])
            #expect(all[0]["received_at"] as? String == "2026-01-05T00:05:00Z")
            #expect(all[0]["data"] as? String == "AQL/")
            #expect((all[0]["payload"] as? [String: Any])?["who"] as? Int == 111)
            let keys = ["data", "f_port", "fcnt", "gateway_id", "payload", "received_at", "rssi", "snr"]
            #expect(all[0].keys.sorted() == keys)
            let span = try await bed.get(path + "?from=2026-01-05T00:02:00Z&to=2026-01-05T00:04:00Z", as: token).data
            #expect(span.compactMap { $0["fcnt"] as? Int } == [3, 2])
            let first = try await bed.get(path + "?limit=3", as: token)
            let cursor = try #require(first.json["next_cursor"] as? String)
            let rest = try await bed.get(path + "?limit=3&cursor=\(cursor)", as: token)
            #expect(rest.data.compactMap { $0["fcnt"] as? Int } == [2, 1])
            let silent = try await bed.get("/api/v1/devices/\(TwoTenants.looseEUI)/readings", as: token)
            #expect(silent.status == .ok && silent.data.isEmpty)
        }
    }

    /// `jsonb` leaves as the database has it, digits and all.
    @Test func orphansAreShownWithWhatTheySaid() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.viewer)
            let orphan = try await bed.get("/api/v1/orphan-devices/\(TwoTenants.orphanEUI)", as: token)
            #expect(orphan.text.contains("\"last_payload\":{\"a\": 1.50}"), "\(orphan.text)")
            #expect(orphan.json["uplink_count"] as? Int == 3)
            try await bed.database.asSuperuser {
                try await $0.execute(script: "UPDATE orphan_devices SET ignored_at = now()")
            }
            #expect(try await bed.get("/api/v1/orphan-devices", as: token).data.isEmpty)
            #expect(try await bed.get("/api/v1/orphan-devices/\(TwoTenants.orphanEUI)", as: token).status == .notFound)
        }
    }

    @Test func usersKnowThemselvesAndTheirTenant() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.limited)
            let me = try await bed.get("/api/v1/users/me", as: token).json
            #expect(me["email"] as? String == "limited@example.com")
            #expect(me["role"] as? String == "viewer")
            #expect(me["site_ids"] as? [String] == [TwoTenants.t02.lowercaseString])
            #expect(me["tenant_id"] as? String == TwoTenants.north.lowercaseString)
            #expect(me["scopes"] as? [String] == Role.viewer.scopes.map(\.rawValue).sorted())
            let tenant = try await bed.get("/api/v1/tenants/current", as: token).json
            #expect(tenant["slug"] as? String == "north")
            #expect((tenant["usage"] as? [String: Any])?["stores"] as? Int == 2)
            #expect((tenant["limits"] as? [String: Any])?["max_series"] as? Int == 200_000)
        }
    }
}
