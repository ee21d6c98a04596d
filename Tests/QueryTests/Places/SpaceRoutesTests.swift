import Foundation
import HTTPTypes
import Postgres
import Shared
import Support
import Testing

@testable import Query

@Suite struct SpaceRoutesTests {
    @Test func aSpaceIsMadeChangedReplacedAndDeleted() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let made = try await bed.post(
                "/api/v1/spaces",
                """
                {"site_id":"\(TwoTenants.t01)","code":"D1","name":"Desk 1","kind":"desk","floor":"2","is_bookable":true,
                 "opening_hours":{"mon":[["08:00","12:00"],["13:00","24:00"]]},"metadata":{"side":"window"}}
                """, as: token)
            #expect(made.status == .created, "\(made.text)")
            let path = try #require(made.headers[.location])
            #expect(try await bed.get(path, as: token).text == made.text)
            #expect(made.json["state"] as? String == "unknown" && made.json["capacity"] as? Int == 1)

            let patched = try await bed.send(
                .patch, path, "{\"opening_hours\":{\"mon\":null,\"tue\":[[\"09:00\",\"10:00\"]]},\"floor\":null}",
                as: token)
            #expect(patched.text.contains("\"opening_hours\":{\"tue\": [[\"09:00\", \"10:00\"]]}"), "\(patched.text)")
            #expect(patched.json["floor"] is NSNull && patched.json["is_bookable"] as? Bool == true)

            let replaced = try await bed.send(
                .put, path, "{\"site_id\":\"\(TwoTenants.t02)\",\"code\":\"D1\",\"name\":\"Desk\"}", as: token)
            #expect(replaced.json["site_id"] as? String == TwoTenants.t02.lowercaseString)
            #expect(replaced.json["opening_hours"] is NSNull && replaced.json["kind"] as? String == "room")
            #expect(try await bed.send(.delete, path, nil, as: token).status == .noContent)
            #expect(try await bed.get(path, as: token).status == .notFound)
        }
    }

    @Test(arguments: [
        ("{\"code\":\"D 1\"}", "code: invalid_code"), ("{\"opening_hours\":[]}", "opening_hours: wrong_type"),
        ("{\"opening_hours\":{\"mon\":\"all day\"}}", "opening_hours: wrong_type"),
        ("{\"opening_hours\":{\"monday\":[]}}", "opening_hours.monday: unknown_field"),
        ("{\"opening_hours\":{\"mon\":[[\"12:00\",\"08:00\"]]}}", "opening_hours.mon[0]: invalid_span"),
        ("{\"opening_hours\":{\"mon\":[[\"8:00\",\"12:00\"]]}}", "opening_hours.mon[0]: invalid_span"),
        ("{\"opening_hours\":{\"mon\":[[\"08:00\",\"24:01\"]]}}", "opening_hours.mon[0]: invalid_span"),
        ("{\"opening_hours\":{\"mon\":[[\"08:00\"]]}}", "opening_hours.mon[0]: invalid_span"),
        ("{\"capacity\":-1}", "capacity: out_of_range"), ("{\"kind\":\"castle\"}", "kind: unknown_value"),
        ("{\"site_id\":\"0b000000-0000-7000-8000-000000000011\"}", "site_id: unknown"),
        ("{\"site_id\":\"0a000000-0000-7000-8000-000000000019\"}", "site_id: unknown"),
        ("{\"metadata\":{\"a\":1e400}}", "metadata: number_out_of_range"),
    ])
    func faultsAreNamed(body: String, fault: String) async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let refused = try await bed.send(.patch, "/api/v1/spaces/\(TwoTenants.bay)", body, as: token)
            #expect(refused.status == .unprocessableContent && refused.faults == [fault], "\(refused.text)")
        }
    }

    /// Moving a space takes its device along.
    @Test func aSpaceMovesWithItsDevice() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let moved = try await bed.send(
                .patch, "/api/v1/spaces/\(TwoTenants.room)", "{\"site_id\":\"\(TwoTenants.t01)\"}", as: token)
            #expect(moved.status == .ok, "\(moved.text)")
            let device = try await bed.get("/api/v1/devices/\(TwoTenants.roomEUI)", as: token)
            #expect(device.json["site_id"] as? String == TwoTenants.t01.lowercaseString)
        }
    }

    @Test func aDeletedSpaceLeavesItsDeviceInTheSite() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let path = "/api/v1/spaces/\(TwoTenants.bay)"
            let refused = try await bed.send(.delete, path, nil, as: token)
            #expect(refused.code == "has_reservations")
            #expect(!refused.text.contains("Northern"))
            #expect(
                try await bed.send(.delete, path + "?cancel_reservations=maybe", nil, as: token).status
                    == .unprocessableContent)
            #expect(
                try await bed.send(.delete, path + "?cancel_reservations=true", nil, as: token).status == .noContent)
            let device = try await bed.get("/api/v1/devices/\(TwoTenants.bayEUI)", as: token)
            #expect(device.json["site_id"] as? String == TwoTenants.p01.lowercaseString)
            #expect(device.json["space_id"] is NSNull)
        }
    }

    @Test func membersOfASiteMakeSpacesThereAlone() async throws {
        try await Testbed.run(accessTimeToLive: .zero) { bed in
            try await bed.promote(TwoTenants.limited, to: "owner")
            let token = try await bed.token(TwoTenants.limited)
            let elsewhere = "{\"site_id\":\"\(TwoTenants.t01)\",\"code\":\"X\",\"name\":\"X\"}"
            #expect(try await bed.post("/api/v1/spaces", elsewhere, as: token).faults == ["site_id: unknown"])
            let away = try await bed.send(
                .patch, "/api/v1/spaces/\(TwoTenants.room)", "{\"site_id\":\"\(TwoTenants.t01)\"}", as: token)
            #expect(away.faults == ["site_id: unknown"])
        }
    }

    /// Between two times: bookable, open, and nobody's.
    @Test func freeSpacesAreFound() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.viewer)
            func free(_ from: String, _ to: String) async throws -> [String] {
                let list = "/api/v1/spaces?free_from=2031-01-06T\(from)Z&free_to=2031-01-06T\(to)Z"
                return try await bed.get(list, as: token).data.texts("code")
            }
            #expect(try await free("11:00:00", "12:00:00") == ["B1", "R1"], "B2 can't be booked")
            #expect(try await free("11:00:00", "12:00:01") == ["R1"])
            #expect(try await free("12:30:00", "14:00:00") == ["R1"])
            #expect(try await free("13:00:00", "14:00:00") == ["B1", "R1"])
            try await bed.database.asSuperuser {
                try await $0.execute(
                    script: "UPDATE spaces SET opening_hours = '{\"mon\":[[\"08:00\",\"12:00\"]]}' WHERE code = 'R1'")
            }
            // 2031-01-06 is a Monday, and Madrid an hour ahead.
            #expect(try await free("10:00:00", "11:00:00") == ["B1", "R1"])
            #expect(try await free("10:00:00", "11:00:01") == ["B1"])
            #expect(try await free("06:59:00", "08:00:00") == ["B1"])
            let half = try await bed.get("/api/v1/spaces?free_from=2031-01-06T10:00:00Z", as: token)
            #expect(half.faults == ["free_to: required"])
        }
    }
}
