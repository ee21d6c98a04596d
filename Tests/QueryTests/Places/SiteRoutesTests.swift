import Foundation
import HTTPTypes
import Postgres
import Support
import Testing

@testable import Query

@Suite struct SiteRoutesTests {
    private static let office = """
        {"code":"O1","name":"Office","kind":"office","timezone":"Europe/Madrid","address":"Calle Mayor 1","latitude":40.4,
         "longitude":-3.7,"settings":{"a":1,"b":{"c":1.50}}}
        """

    @Test func aSiteIsMadeChangedReplacedAndDeleted() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let made = try await bed.post("/api/v1/sites", Self.office, as: token)
            #expect(made.status == .created)
            let path = try #require(made.headers[.location])
            let found = try await bed.get(path, as: token)
            #expect(found.text == made.text)

            let patched = try await bed.send(
                .patch, path, "{\"name\":\"HQ\",\"address\":null,\"settings\":{\"a\":null,\"b\":{\"d\":2}}}", as: token)
            #expect(patched.status == .ok, "\(patched.text)")
            #expect(patched.json["name"] as? String == "HQ")
            #expect(patched.json["address"] is NSNull && patched.json["latitude"] as? Double == 40.4)
            #expect(patched.text.contains("\"settings\":{\"b\": {\"c\": 1.50, \"d\": 2}}"), "\(patched.text)")

            let replaced = try await bed.send(
                .put, path, "{\"code\":\"O1\",\"name\":\"HQ\",\"timezone\":\"UTC\",\"kind\":\"office\"}", as: token)
            #expect(replaced.status == .ok)
            #expect(replaced.json["latitude"] is NSNull && replaced.json["timezone"] as? String == "UTC")
            #expect(replaced.text.contains("\"settings\":{}"))

            #expect(try await bed.send(.delete, path, nil, as: token).status == .noContent)
            #expect(try await bed.get(path, as: token).status == .notFound)
            // Its code is free again.
            #expect(try await bed.post("/api/v1/sites", Self.office, as: token).status == .created)
        }
    }

    @Test func whatIsSentBackAsItWasAnsweredIsTaken() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let site = try await bed.get("/api/v1/sites/T01", as: token)
            #expect(try await bed.send(.put, "/api/v1/stores/T01", site.text, as: token).status == .ok)
        }
    }

    @Test func faultsAreNamed() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let refused = try await bed.send(
                .patch, "/api/v1/sites/T01", "{\"name\":null,\"timezone\":\"Mars/Base\",\"colour\":1,\"latitude\":91}",
                as: token)
            #expect(refused.status == .unprocessableContent)
            #expect(
                Set(refused.faults) == [
                    "name: required", "timezone: unknown_timezone", "colour: unknown_field", "latitude: out_of_range",
                ])
            // Known to this process, and not to the server that evaluates opening hours.
            let odd = try await bed.send(.patch, "/api/v1/sites/T01", "{\"timezone\":\"US/Pacific-New\"}", as: token)
            #expect(odd.faults == ["timezone: unknown_timezone"], "\(odd.text)")
            let taken = try await bed.send(.patch, "/api/v1/sites/T01", "{\"code\":\"T02\"}", as: token)
            #expect(taken.status == .conflict && taken.code == "already_exists")
            let kind = try await bed.send(.patch, "/api/v1/stores/T01", "{\"kind\":\"office\"}", as: token)
            #expect(kind.faults == ["kind: conflict"])
            #expect(try await bed.send(.patch, "/api/v1/warehouses/T01", "{}", as: token).status == .notFound)
        }
    }

    /// The one that names the version it saw wins.
    @Test func anOldVersionIsNotOverwritten() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let tag = try #require(try await bed.get("/api/v1/sites/T01", as: token).headers[.eTag])
            let first = try await bed.send(
                .patch, "/api/v1/sites/T01", "{\"name\":\"One\"}", as: token, headers: [.ifMatch: tag])
            #expect(first.status == .ok)
            for (method, body) in [
                (.patch, "{\"name\":\"Two\"}"), (.put, "{\"code\":\"T01\",\"name\":\"Two\",\"timezone\":\"UTC\"}"),
                (.delete, nil),
            ] as [(HTTPRequest.Method, String?)] {
                let refused = try await bed.send(method, "/api/v1/sites/T01", body, as: token, headers: [.ifMatch: tag])
                #expect(refused.status == .preconditionFailed, "\(method)")
            }
            #expect(try await bed.get("/api/v1/sites/T01", as: token).json["name"] as? String == "One")
        }
    }

    @Test func aSiteGoesWithItsSpacesAndLeavesItsDevices() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let refused = try await bed.send(.delete, "/api/v1/sites/P01", nil, as: token)
            #expect(refused.status == .conflict && refused.code == "has_reservations")
            #expect(try await bed.get("/api/v1/spaces/\(TwoTenants.bay)", as: token).status == .ok)
            let deleted = try await bed.send(.delete, "/api/v1/sites/P01?cancel_reservations=true", nil, as: token)
            #expect(deleted.status == .noContent)
            #expect(try await bed.get("/api/v1/spaces?site=P01", as: token).data.isEmpty)
            #expect(try await bed.get("/api/v1/spaces/\(TwoTenants.bay)", as: token).status == .notFound)
            let device = try await bed.get("/api/v1/devices/\(TwoTenants.bayEUI)", as: token)
            #expect(device.json["site_id"] is NSNull && device.json["space_id"] is NSNull)
            let reservation = try await bed.get("/api/v1/reservations/\(TwoTenants.reservation)", as: token)
            #expect(reservation.json["status"] as? String == "cancelled")
            #expect(try await bed.audited("reservation.cancelled") == 2)
        }
    }

    /// A tenant of 30 stores at most, by its plan, that has its last one deleted may have another.
    @Test func deletedStoresDoNotCount() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            try await bed.database.asSuperuser {
                try await $0.execute(script: "UPDATE tenants SET max_stores = 2 WHERE slug = 'north'")
            }
            let third = "{\"code\":\"T03\",\"name\":\"Third\",\"timezone\":\"UTC\"}"
            #expect(try await bed.post("/api/v1/stores", third, as: token).code == "quota_exceeded")
            let becomes = try await bed.send(.patch, "/api/v1/sites/W01", "{\"kind\":\"store\"}", as: token)
            #expect(becomes.code == "quota_exceeded")
            try await bed.database.asSuperuser { try await $0.execute(script: "TRUNCATE products, vales CASCADE") }
            #expect(try await bed.send(.delete, "/api/v1/stores/T02", nil, as: token).status == .noContent)
            #expect(try await bed.post("/api/v1/stores", third, as: token).status == .created)
        }
    }
}
