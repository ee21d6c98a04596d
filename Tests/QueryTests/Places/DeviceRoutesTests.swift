import Foundation
import HTTPTypes
import Postgres
import Shared
import Support
import Testing

@testable import Query

@Suite struct DeviceRoutesTests {
    private static let eui = "70b3d57ed0000055"

    @Test func aDeviceIsMadeChangedReplacedAndDeleted() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let made = try await bed.post(
                "/api/v1/devices",
                """
                {"device_eui":"70-B3-D5-7E-D0-00-00-55","name":"Door","space_id":"\(TwoTenants.secondBay)",
                 "profile_id":"\(TwoTenants.profile)","metadata":{"a":{"b":1}}}
                """, as: token)
            #expect(made.status == .created, "\(made.text)")
            #expect(made.headers[.location] == "/api/v1/devices/\(Self.eui)")
            #expect(made.json["site_id"] as? String == TwoTenants.p01.lowercaseString, "its space's")
            let path = "/api/v1/devices/\(Self.eui)"
            #expect(try await bed.get(path, as: token).text == made.text)
            let patched = try await bed.send(
                .patch, path, "{\"metadata\":{\"a\":{\"c\":2}},\"profile_id\":null}", as: token)
            #expect(patched.text.contains("\"metadata\":{\"a\": {\"b\": 1, \"c\": 2}}"))
            #expect(patched.json["profile_id"] is NSNull && patched.json["space_id"] is String)
            let replaced = try await bed.send(.put, path, "{\"name\":\"Door\"}", as: token)
            #expect(replaced.json["site_id"] is NSNull && replaced.json["space_id"] is NSNull)
            #expect(try await bed.send(.delete, path, nil, as: token).status == .noContent)
            #expect(try await bed.get(path, as: token).status == .notFound)
            let again = "{\"device_eui\":\"\(Self.eui)\",\"name\":\"Again\"}"
            #expect(try await bed.post("/api/v1/devices", again, as: token).status == .created)
        }
    }

    /// A space lies in its site: whoever goes into one is there, and whoever goes to another site leaves it.
    @Test func placesAgree() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let path = "/api/v1/devices/\(TwoTenants.looseEUI)"
            func patch(_ body: String) async throws -> Answered { try await bed.send(.patch, path, body, as: token) }
            let placed = try await patch("{\"space_id\":\"\(TwoTenants.secondBay)\"}")
            #expect(placed.json["site_id"] as? String == TwoTenants.p01.lowercaseString)
            let away = try await patch("{\"site_id\":\"\(TwoTenants.t01)\"}")
            #expect(away.json["site_id"] as? String == TwoTenants.t01.lowercaseString)
            #expect(away.json["space_id"] is NSNull)
            let back = try await patch("{\"space_id\":\"\(TwoTenants.secondBay)\"}")
            #expect(back.json["site_id"] as? String == TwoTenants.p01.lowercaseString)
            let both = try await patch("{\"space_id\":\"\(TwoTenants.secondBay)\",\"site_id\":\"\(TwoTenants.t01)\"}")
            #expect(both.faults == ["space_id: elsewhere"])
            let taken = try await patch("{\"space_id\":\"\(TwoTenants.room)\"}")
            #expect(taken.status == .conflict && taken.code == "space_taken")
            for (body, fault) in [
                ("{\"space_id\":\"\(TwoTenants.southernSpace)\"}", "space_id: unknown"),
                ("{\"site_id\":\"\(TwoTenants.southernStore)\"}", "site_id: unknown"),
                ("{\"profile_id\":\"\(TwoTenants.southernProfile)\"}", "profile_id: unknown"),
                ("{\"device_eui\":\"\(Self.eui)\"}", "device_eui: immutable"),
            ] {
                #expect(try await patch(body).faults == [fault])
            }
        }
    }

    @Test func anEUIIsTakenOnce() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let again = try await bed.post(
                "/api/v1/devices", "{\"device_eui\":\"\(TwoTenants.bayEUI)\",\"name\":\"X\"}", as: token)
            #expect(again.status == .conflict && again.code == "device_exists")
            // South has it, too, and nobody says so.
            let southern = "{\"device_eui\":\"\(TwoTenants.southernEUI)\",\"name\":\"X\"}"
            #expect(try await bed.post("/api/v1/devices", southern, as: token).status == .created)
            let statuses = try await withThrowingTaskGroup(of: HTTPResponse.Status.self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        let body = "{\"device_eui\":\"\(Self.eui)\",\"name\":\"X\"}"
                        return try await bed.post("/api/v1/devices", body, as: token).status
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.count { $0 == .created } == 1 && statuses.count { $0 == .conflict } == 19)
        }
    }

    @Test func aProfileInUseStays() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let path = "/api/v1/device-profiles/\(TwoTenants.profile)"
            #expect(try await bed.send(.delete, path, nil, as: token).code == "profile_in_use")
            #expect(
                try await bed.post("/api/v1/device-profiles", "{\"name\":\"Bay sensor\"}", as: token).status
                    == .conflict)
            let made = try await bed.post(
                "/api/v1/device-profiles",
                "{\"name\":\"P\",\"decoder\":\"fields\",\"decoder_fields\":{\"t\":{\"at\":0}},\"occupied_field\":\"a.b\"}",
                as: token)
            #expect(made.status == .created && made.json["occupied_field"] as? String == "a.b")
            let location = try #require(made.headers[.location])
            let patched = try await bed.send(.patch, location, "{\"decoder_fields\":{\"u\":1}}", as: token)
            #expect(patched.text.contains("\"decoder_fields\":{\"t\": {\"at\": 0}, \"u\": 1}"), "\(patched.text)")
            for (field, value) in [
                ("occupied_field", "\"1x\""), ("decoder", "\"magic\""), ("expected_interval_s", "0"),
            ] {
                let refused = try await bed.send(.patch, location, "{\"\(field)\":\(value)}", as: token)
                #expect(refused.status == .unprocessableContent, "\(field)")
            }
        }
    }

    /// Another field, another state: what the samples of that one say.
    @Test func anotherProfileReadsWhatWasSaidAnew() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let now = Timestamp.now()
            let spoken = SpokenOccupancy(owner: 111, field: "parked", tenant: "north")
            try await spoken.say([(now.adding(seconds: -600), 1), (now.adding(seconds: -300), 0)], in: bed.database)
            let space = "/api/v1/spaces/\(TwoTenants.bay)"
            #expect(try await bed.get(space, as: token).json["state"] as? String == "occupied")
            let changed = try await bed.send(
                .patch, "/api/v1/device-profiles/\(TwoTenants.profile)", "{\"occupied_field\":\"parked\"}", as: token)
            #expect(changed.status == .ok)
            let bay = try await bed.get(space, as: token)
            #expect(bay.json["state"] as? String == "free")
            #expect(bay.json["state_since"] as? String == now.adding(seconds: -300).rfc3339)
            // Without a profile nobody has said anything by the name of `occupied`.
            #expect(
                try await bed.send(.patch, "/api/v1/devices/\(TwoTenants.bayEUI)", "{\"profile_id\":null}", as: token)
                    .status == .ok)
            #expect(try await bed.get(space, as: token).json["state"] as? String == "unknown")
        }
    }
}
