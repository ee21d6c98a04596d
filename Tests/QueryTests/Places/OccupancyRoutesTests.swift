import Foundation
import HTTPTypes
import Postgres
import Shared
import Support
import Testing

@testable import Query

@Suite struct OccupancyRoutesTests {
    private static func time(_ text: String) throws -> Timestamp { try #require(Timestamp(rfc3339: text)) }

    private static func runs(_ answered: Answered) -> [String] {
        answered.data.map { run in
            let ends = ["from", "to"].map { (run[$0] as? String)?.dropFirst(11).prefix(5) ?? "now" }
            return "\(run["state"] ?? "") \(ends[0])-\(ends[1])"
        }
    }

    /// In chunks and in the log, before the span and in it, in any order.
    @Test func historyIsWhatTheSensorSaid() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.viewer)
            let spoken = SpokenOccupancy(owner: 111)
            let day = "2026-01-06T"
            try await spoken.keep(
                [(try Self.time("2026-01-01T00:00:00Z"), 1), (try Self.time(day + "09:30:00Z"), 1)], in: bed.database)
            try await spoken.keep(
                [(try Self.time(day + "12:00:00Z"), 0), (try Self.time(day + "12:30:00Z"), 0)], in: bed.database)
            try await spoken.say(
                [
                    (try Self.time(day + "11:00:00Z"), 1), (try Self.time(day + "10:20:00Z"), 1),
                    (try Self.time(day + "11:00:00Z"), 0),
                ],
                in: bed.database)
            let path = "/api/v1/spaces/\(TwoTenants.bay)/history?from=\(day)10:00:00Z&to=\(day)14:00:00Z"
            let all = try await bed.get(path, as: token)
            #expect(
                Self.runs(all) == ["unknown 13:30-14:00", "free 12:00-13:30", "occupied 10:00-12:00"], "\(all.text)")
            // A page goes on where the one before ended.
            let first = try await bed.get(path + "&limit=2", as: token)
            #expect(Self.runs(first) == ["unknown 13:30-14:00", "free 12:00-13:30"])
            let cursor = try #require(first.json["next_cursor"] as? String)
            let second = try await bed.get(path + "&limit=2&cursor=\(cursor)", as: token)
            #expect(Self.runs(second) == ["occupied 10:00-12:00"] && second.json["next_cursor"] is NSNull)
        }
    }

    @Test func whatGoesOnHasNoEnd() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.viewer)
            let now = Timestamp.now()
            try await SpokenOccupancy(owner: 111).say([(now.adding(seconds: -600), 1)], in: bed.database)
            let history = try await bed.get("/api/v1/spaces/\(TwoTenants.bay)/history", as: token)
            #expect(history.data.first?["state"] as? String == "occupied" && history.data.first?["to"] is NSNull)
            #expect(history.data.first?["from"] as? String == now.adding(seconds: -600).rfc3339)
            let silent = try await bed.get("/api/v1/spaces/\(TwoTenants.secondBay)/history", as: token)
            #expect(silent.data.texts("state") == ["unknown"])
            let coming = try await bed.get(
                "/api/v1/spaces/\(TwoTenants.bay)/history?from=2031-01-01T00:00:00Z&to=2031-01-02T00:00:00Z", as: token)
            #expect(coming.data.isEmpty && coming.status == .ok)
        }
    }

    /// A sensor that is moved takes its past along no further than it goes; one that is replaced leaves it.
    @Test func historyBelongsToTheSpace() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let now = Timestamp.now()
            let spoken = SpokenOccupancy(owner: 111)
            try await spoken.say([(now.adding(seconds: -1_200), 1)], in: bed.database)
            let device = "/api/v1/devices/\(TwoTenants.bayEUI)"
            let moved = try await bed.send(.patch, device, "{\"space_id\":\"\(TwoTenants.secondBay)\"}", as: token)
            #expect(moved.status == .ok)
            // What it said elsewhere says nothing of this one.
            let silent = try await bed.get("/api/v1/spaces/\(TwoTenants.secondBay)", as: token)
            #expect(silent.json["state"] as? String == "unknown" && silent.json["state_since"] is NSNull)
            try await spoken.say([(Timestamp.now(), 0)], in: bed.database)
            func states(_ space: UUID) async throws -> [String] {
                let from = now.adding(seconds: -1_800).rfc3339
                return try await bed.get("/api/v1/spaces/\(space)/history?from=\(from)", as: token).data.texts("state")
            }
            #expect(try await states(TwoTenants.bay) == ["unknown", "occupied", "unknown"])
            #expect(try await states(TwoTenants.secondBay) == ["free", "unknown"])
            let live = try await bed.get("/api/v1/spaces/\(TwoTenants.bay)", as: token)
            #expect(live.json["state"] as? String == "unknown" && live.json["device_eui"] is NSNull)
            // Another takes its place.
            let placed = try await bed.send(
                .patch, "/api/v1/devices/\(TwoTenants.looseEUI)", "{\"space_id\":\"\(TwoTenants.bay)\"}", as: token)
            #expect(placed.status == .ok)
            try await SpokenOccupancy(owner: 113).say(
                [(now.adding(seconds: -1_500), 0), (Timestamp.now(), 1)], in: bed.database)
            let both = try await states(TwoTenants.bay)
            #expect(
                both.first == "occupied" && both.dropFirst().contains("occupied") && both.last == "unknown", "\(both)")
            // Nothing of it is lost when the device goes.
            #expect(try await bed.send(.delete, device, nil, as: token).status == .noContent)
            #expect(try await states(TwoTenants.secondBay) == ["unknown", "free", "unknown"])
        }
    }

    /// Half of a day of 23 hours, and of one of 25.
    @Test(arguments: [("2026-03-28T23:00:00Z", 23), ("2026-10-24T22:00:00Z", 25)])
    func sharesAreOfTheDayAsLongAsItIs(midnight: String, hours: Int64) async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.viewer)
            let start = try Self.time(midnight)
            try await bed.database.asSuperuser {
                try await $0.execute(script: "UPDATE sites SET timezone = 'Europe/Madrid' WHERE code = 'P01'")
            }
            let readings = (0...(hours * 2)).map { half in
                (start.adding(seconds: half * 1_800), half < hours ? 1.0 : 0)
            }
            try await SpokenOccupancy(owner: 111).keep(readings, in: bed.database)
            let end = start.adding(seconds: hours * 3_600).rfc3339
            let path = "/api/v1/sites/P01/occupancy?from=\(midnight)&to=\(end)"
            let day = try await bed.get(path + "&step=1d", as: token)
            #expect(day.data.count == 1 && day.json["spaces"] as? Int == 1, "\(day.text)")
            #expect(day.data[0]["occupied"] as? Double == 0.5 && day.data[0]["free"] as? Double == 0.5)
            #expect(day.data[0]["unknown"] as? Double == 0)
            let byHour = try await bed.get(path + "&step=1h", as: token)
            #expect(byHour.data.count == Int(hours))
            #expect(byHour.data.map { $0["occupied"] as? Double ?? -1 }.reduce(0, +) == Double(hours) / 2)
            let bad = try await bed.get(path + "&step=7h", as: token)
            #expect(bad.faults == ["step: invalid_step"])
        }
    }

    /// Many spaces, more than are read at once, each for itself.
    @Test func aSiteIsItsSpaces() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.viewer)
            try await bed.database.asSuperuser { connection in
                try await connection.execute(
                    script: """
                        INSERT INTO spaces (tenant_id, id, site_id, code, name, kind)
                        SELECT tenant_id, ('0a000000-0000-7000-9000-' || lpad(i::text, 12, '0'))::uuid, id, 'X' || i, 'X', 'desk'
                          FROM sites, generate_series(1, 230) AS i WHERE code = 'O01' OR code = 'W01';
                        INSERT INTO devices (tenant_id, id, owner_id, device_eui, name, site_id, space_id)
                        SELECT sp.tenant_id, sp.id, 1000 + substr(sp.code, 2)::int, lpad(substr(sp.code, 2), 16, '0'), 'X', sp.site_id, sp.id
                          FROM spaces sp WHERE sp.kind = 'desk' AND substr(sp.code, 2)::int <= 200;
                        INSERT INTO series (tenant_id, owner_id, metric, identity)
                        SELECT tenant_id, owner_id, 'occupied', md5('occupied')::uuid FROM devices WHERE owner_id > 1000;
                        INSERT INTO sample_log (tenant_id, owner_id, series, ts, value)
                        SELECT tenant_id, owner_id, ARRAY[id, id], ARRAY[1767614400000000, 1767616200000000],
                               ARRAY[(owner_id % 2)::float8, 0]
                          FROM series WHERE owner_id > 1000;
                        """)
            }
            let path = "/api/v1/warehouses/W01/occupancy?from=2026-01-05T12:00:00Z&to=2026-01-05T13:00:00Z&step=1h"
            let hour = try await bed.get(path, as: token)
            #expect(hour.json["spaces"] as? Int == 200, "those with a sensor: \(hour.text)")
            #expect(hour.data[0]["occupied"] as? Double == 0.25 && hour.data[0]["free"] as? Double == 0.75)
            #expect(try await bed.get(path + "&kind=bay", as: token).json["spaces"] as? Int == 0)
            #expect(try await bed.get(path.replacing("warehouses", with: "stores"), as: token).status == .notFound)
        }
    }
}
