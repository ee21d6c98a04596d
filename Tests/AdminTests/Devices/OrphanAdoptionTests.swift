import Foundation
import Postgres
import Shared
import Support
import Testing

@testable import Admin

struct OrphanAdoptionTests {
    private static let eui = "70b3d57ed0000001"

    /// An orphan with four kept uplinks, an hour ago to now: free, occupied, (silent about it), occupied.
    private static func heardOrphan(_ operated: OperatedDatabase) async throws {
        try await operated.migrated.asSuperuser { connection in
            let tenant = operated.tenant.id
            try await connection.run(
                """
                INSERT INTO orphan_devices (tenant_id, id, device_eui, integration_id, first_seen_at, last_seen_at,
                                            uplink_count)
                VALUES (\(tenant), \(UUID.v7()), \(eui), \(UUID.v7()), now(), now(), 4)
                """)
            try await connection.run(
                """
                INSERT INTO device_states (tenant_id, owner_id, epochs, newest_at, battery)
                SELECT tenant_id, owner_id, 1, now(), 90 FROM orphan_devices
                """)
            try await connection.run(
                """
                INSERT INTO orphan_uplinks (tenant_id, owner_id, received_at, epoch, fcnt, arrived_at, clock_used, payload,
                                            leaves, integration_id)
                SELECT o.tenant_id, o.owner_id, date_trunc('milliseconds', now()) - w.age, 0, w.fcnt, now(), false,
                       '{}', w.leaves::jsonb, o.integration_id
                  FROM orphan_devices o,
                       (VALUES (0, interval '60 minutes', '{"occupied":0,"battery":90}'),
                               (1, interval '40 minutes', '{"occupied":1,"battery":90}'),
                               (2, interval '20 minutes', '{"battery":89.5}'),
                               (3, interval '0 minutes', '{"occupied":1,"battery":89}')) AS w (fcnt, age, leaves)
                """)
        }
    }

    @Test func whatWasKeptBecomesReadingsOnce() async throws {
        try await OperatedDatabase.with { operated in
            try await Self.heardOrphan(operated)
            let owner = try await operated.all("SELECT owner_id FROM orphan_devices" as Statement<Int32>)
            let csv = "device_eui,name\n\(Self.eui),Bay 1"
            #expect(try await operated.importDevices(csv).map(\.result) == [.adopted(4)])
            #expect(try await operated.importDevices(csv).map(\.result) == [.unchanged])
            #expect(try await operated.all("SELECT owner_id FROM devices" as Statement<Int32>) == owner)
            #expect(try await operated.count("SELECT count(*) FROM uplinks") == 4)
            #expect(try await operated.count("SELECT count(*) FROM orphan_uplinks") == 0)
            #expect(try await operated.count("SELECT count(*) FROM orphan_devices") == 0)
        }
    }

    @Test func numbersBecomeSamplesOfTheDevicesSeries() async throws {
        try await OperatedDatabase.with { operated in
            try await Self.heardOrphan(operated)
            _ = try await operated.importDevices("device_eui\n\(Self.eui)")
            let values: Statement<String> = """
                SELECT s.metric || ' ' || string_agg(v.value::text, ',' ORDER BY v.ts)
                  FROM series s JOIN samples v ON v.tenant_id = s.tenant_id AND v.series_id = s.id
                 GROUP BY s.metric ORDER BY s.metric
                """
            #expect(try await operated.all(values) == ["battery 90,90,89.5,89", "occupied 0,1,1"])
            // 16 bytes of `printf battery | sha256sum`, which is how ingest knows the series.
            #expect(
                try await operated.all("SELECT identity FROM series WHERE metric = 'battery'" as Statement<UUID>)
                    == [try #require(UUID(uuidString: "f3d1701e-1d57-5e12-9478-698951786698"))])
            #expect(try await operated.count("SELECT count::bigint FROM series_counts") == 2)
            #expect(
                try await operated.count(
                    """
                    SELECT count(*) FROM samples v JOIN uplinks u
                        ON v.ts = (extract(epoch FROM u.received_at) * 1000000)::bigint
                    """) == 7)
        }
    }

    @Test func theStateIsThatOfTheNewestWordOnIt() async throws {
        try await OperatedDatabase.with { operated in
            try await Self.heardOrphan(operated)
            _ = try await operated.importDevices("device_eui\n\(Self.eui)")
            #expect(
                try await operated.count(
                    """
                    SELECT count(*) FROM device_states s JOIN uplinks u ON u.fcnt = 1 AND u.received_at = s.occupied_since
                     WHERE s.occupied
                    """) == 1)
        }
    }

    @Test func theProfileSaysWhichFieldTells() async throws {
        try await OperatedDatabase.with { operated in
            try await Self.heardOrphan(operated)
            try await operated.migrated.asSuperuser { connection in
                try await connection.run(
                    """
                    INSERT INTO device_profiles (tenant_id, id, name, occupied_field)
                    VALUES (\(operated.tenant.id), \(UUID.v7()), 'Odd', 'nothing')
                    """)
            }
            _ = try await operated.importDevices("device_eui,profile\n\(Self.eui),Odd")
            #expect(try await operated.count("SELECT count(*) FROM device_states WHERE occupied IS NULL") == 1)
        }
    }

    @Test func thePlansBoundOnSeriesHolds() async throws {
        try await OperatedDatabase.with { operated in
            try await Self.heardOrphan(operated)
            let almost = operated.tenant.plan.maxSeries - 1
            try await operated.migrated.asSuperuser { connection in
                try await connection.run(
                    "INSERT INTO series_counts (tenant_id, count) VALUES (\(operated.tenant.id), \(almost))")
            }
            #expect(try await operated.importDevices("device_eui\n\(Self.eui)").map(\.result) == [.adopted(4)])
            #expect(try await operated.all("SELECT metric FROM series" as Statement<String>) == ["battery"])
            #expect(
                try await operated.count("SELECT count::bigint FROM series_counts")
                    == Int64(operated.tenant.plan.maxSeries))
        }
    }

    /// Several register the same orphan at the same time: one adopts, the others find the device.
    @Test func racersAdoptExactlyOnce() async throws {
        try await OperatedDatabase.with { operated in
            try await Self.heardOrphan(operated)
            let outcomes = try await withThrowingTaskGroup(of: DeviceImport.Outcome.Result.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        try await operated.importDevices("device_eui\n\(Self.eui)").map(\.result)[0]
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(outcomes.filter { $0 == .adopted(4) }.count == 1)
            #expect(try await operated.count("SELECT count(*) FROM devices") == 1)
            #expect(try await operated.count("SELECT count(*) FROM uplinks") == 4)
            #expect(try await operated.count("SELECT count(*) FROM sample_log") == 1)
        }
    }
}
