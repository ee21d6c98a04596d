import Foundation
import HTTPTypes
import Postgres
import Shared
import Support
import Testing

@testable import Query

@Suite struct OrphanClaimTests {
    private static let path = "/api/v1/orphan-devices/\(TwoTenants.orphanEUI)"

    /// Three uplinks that were kept of the orphan: free, occupied, occupied, a minute apart, the last a minute ago.
    private static let kept = """
        INSERT INTO device_states (tenant_id, owner_id, epochs, newest_at)
        SELECT tenant_id, owner_id, 1, now() - interval '1 minute' FROM orphan_devices;
        INSERT INTO orphan_uplinks (tenant_id, owner_id, received_at, epoch, fcnt, arrived_at, clock_used, payload, leaves, integration_id)
        SELECT tenant_id, owner_id, date_trunc('second', now()) - make_interval(mins => 4 - i), 0, i, now(), false, '{}',
               jsonb_build_object('occupied', CASE WHEN i = 1 THEN 0 ELSE 1 END), integration_id
          FROM orphan_devices, generate_series(1, 3) AS i
        """

    @Test func whatWasKeptBecomesReadingsOfTheDevice() async throws {
        try await Testbed.run { bed in
            try await bed.database.asSuperuser { try await $0.execute(script: Self.kept) }
            let token = try await bed.token(TwoTenants.both, tenant: "north")
            let body =
                "{\"name\":\"Bay 2\",\"space_id\":\"\(TwoTenants.secondBay)\",\"profile_id\":\"\(TwoTenants.profile)\"}"
            let claimed = try await bed.post(Self.path + "/claim", body, as: token)
            #expect(claimed.status == .ok && claimed.json["adopted"] as? Int == 3, "\(claimed.text)")
            #expect(claimed.json["space_id"] as? String == TwoTenants.secondBay.lowercaseString)
            #expect(claimed.json["last_seen_at"] is String)
            let readings = try await bed.get("/api/v1/devices/\(TwoTenants.orphanEUI)/readings", as: token)
            #expect(readings.data.compactMap { $0["fcnt"] as? Int } == [3, 2, 1])
            let space = try await bed.get("/api/v1/spaces/\(TwoTenants.secondBay)", as: token)
            #expect(space.json["state"] as? String == "occupied")
            let history = try await bed.get("/api/v1/spaces/\(TwoTenants.secondBay)/history", as: token)
            #expect(history.data.texts("state") == ["occupied", "free", "unknown"], "also what came before the claim")
            #expect(history.data[0]["from"] as? String == space.json["state_since"] as? String)
            #expect(try await bed.get("/api/v1/orphan-devices", as: token).data.isEmpty)
            // Again, and as something else.
            let again = try await bed.post(Self.path + "/claim", body, as: token)
            #expect(again.status == .ok && again.json["adopted"] as? Int == 0)
            #expect(again.json["id"] as? String == claimed.json["id"] as? String)
            let other = try await bed.post(Self.path + "/claim", "{\"name\":\"Another\"}", as: token)
            #expect(other.status == .conflict && other.code == "already_claimed")
            #expect(try await bed.audited("device.created") == 1)
        }
    }

    @Test func ofManyWhoClaimOneDoes() async throws {
        try await Testbed.run { bed in
            try await bed.database.asSuperuser { try await $0.execute(script: Self.kept) }
            let token = try await bed.token(TwoTenants.owner)
            let answers = try await withThrowingTaskGroup(of: Answered.self) { group in
                for index in 0..<12 {
                    group.addTask {
                        try await bed.post(Self.path + "/claim", "{\"name\":\"\(index % 2)\"}", as: token)
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.count { $0.json["adopted"] as? Int == 3 } == 1)
            #expect(answers.count { $0.status == .ok } == 6 && answers.count { $0.status == .conflict } == 6)
            #expect(try await bed.audited("device.created") == 1)
        }
    }

    @Test func anIgnoredOneIsSilentUntilSomebodySaysOtherwise() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            #expect(try await bed.send(.delete, Self.path, nil, as: token).status == .noContent)
            #expect(try await bed.send(.delete, Self.path, nil, as: token).status == .noContent)
            #expect(try await bed.get(Self.path, as: token).status == .notFound)
            #expect(try await bed.get("/api/v1/orphan-devices", as: token).data.isEmpty)
            let ignored = try await bed.get("/api/v1/orphan-devices?ignored=true", as: token)
            #expect(ignored.data.texts("device_eui") == [TwoTenants.orphanEUI])
            let back = try await bed.post(Self.path + "/unignore", "", as: token)
            #expect(back.json["device_eui"] as? String == TwoTenants.orphanEUI)
            #expect(try await bed.get("/api/v1/orphan-devices", as: token).data.count == 1)
        }
    }

    @Test func claimsAreHeldToTheirPlaces() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            for (body, fault) in [
                ("{}", "name: required"),
                ("{\"name\":\"N\",\"space_id\":\"\(TwoTenants.southernSpace)\"}", "space_id: unknown"),
                (
                    "{\"name\":\"N\",\"space_id\":\"\(TwoTenants.bay)\",\"site_id\":\"\(TwoTenants.t01)\"}",
                    "space_id: elsewhere"
                ),
            ] {
                #expect(try await bed.post(Self.path + "/claim", body, as: token).faults == [fault])
            }
            let taken = try await bed.post(
                Self.path + "/claim", "{\"name\":\"N\",\"space_id\":\"\(TwoTenants.bay)\"}", as: token)
            #expect(taken.code == "space_taken")
            #expect(try await bed.get(Self.path, as: token).status == .ok, "nothing was adopted")
        }
    }
}
