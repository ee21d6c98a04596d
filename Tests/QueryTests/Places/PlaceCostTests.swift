import Foundation
import Postgres
import Shared
import Support
import Testing

@testable import Query

/// What the heavy questions read, in blocks of 8 KiB: bounded, and no more when there is more history or there are more of others.
@Suite(.serialized) struct PlaceCostTests {
    private static let site = UUID(uuidString: "0a000000-0000-7000-8000-0000000000f1") ?? UUID()

    /// - Parameter spaces: of the site, each with a sensor and its state.
    private static func furnish(_ database: MigratedDatabase, spaces: Int) async throws {
        try await database.asSuperuser { connection in
            try await connection.execute(
                script: """
                    INSERT INTO sites (tenant_id, id, code, name, kind, timezone)
                    SELECT id, ('0a000000-0000-7000-8000-0000000000f' || i)::uuid, 'C' || i, 'Cost', 'office', 'Europe/Madrid'
                      FROM tenants, generate_series(1, 2) AS i WHERE slug = 'north';
                    """)
        }
        try await plant(database, site: 1, spaces: spaces)
    }

    private static func plant(_ database: MigratedDatabase, site: Int32, spaces: Int) async throws {
        try await database.asSuperuser { connection in
            try await connection.run(
                """
                INSERT INTO spaces (tenant_id, id, site_id, code, name, kind, is_bookable, opening_hours)
                SELECT tenant_id, ('0a00000' || \(site) || '-0000-7000-9000-' || lpad(i::text, 12, '0'))::uuid, id, 'S' || i, 'S', 'desk', true,
                       '{"mon":[["08:00","20:00"]],"tue":[["08:00","20:00"]],"wed":[["08:00","20:00"]]}'
                  FROM sites, generate_series(1, \(Int32(spaces))) AS i WHERE code = 'C' || \(site)
                """)
            try await connection.run(
                """
                INSERT INTO devices (tenant_id, id, device_eui, name, site_id, space_id)
                SELECT sp.tenant_id, sp.id, \(site) || lpad(substr(sp.code, 2), 15, '0'), 'S', sp.site_id, sp.id
                  FROM spaces sp JOIN sites si ON si.id = sp.site_id WHERE si.code = 'C' || \(site)
                """)
            try await connection.run(
                """
                INSERT INTO device_states (tenant_id, owner_id, newest_at, occupied, occupied_at, occupied_since)
                SELECT tenant_id, owner_id, now(), owner_id % 2 = 0, now(), now() FROM devices WHERE device_eui LIKE \(site) || '0000%'
                ON CONFLICT DO NOTHING
                """)
        }
    }

    /// A reservation a day of each space for so many days from a week ago on.
    private static func book(_ database: MigratedDatabase, from first: Int32, days: Int32) async throws {
        try await database.asSuperuser { connection in
            try await connection.run(
                """
                INSERT INTO reservations (tenant_id, id, space_id, starts_at, ends_at, status, holder_name)
                SELECT sp.tenant_id, gen_random_uuid(), sp.id, date_trunc('day', now()) + make_interval(days => d, hours => 9),
                       date_trunc('day', now()) + make_interval(days => d, hours => 10), CASE WHEN d < 0 THEN 'completed' ELSE 'confirmed' END, 'X'
                  FROM spaces sp JOIN sites si ON si.id = sp.site_id AND si.code = 'C1', generate_series(\(first), \(first + days - 1)) AS d
                """)
        }
    }

    /// A reading each ten minutes, in chunks of 700, for the days before so many days ago.
    private static func speak(_ database: MigratedDatabase, endingDaysAgo: Int32, days: Int32) async throws {
        try await database.asSuperuser { connection in
            try await connection.run(
                """
                INSERT INTO series (tenant_id, owner_id, metric, identity)
                SELECT tenant_id, owner_id, 'occupied', md5('occupied')::uuid FROM devices WHERE device_eui LIKE '10000%'
                ON CONFLICT DO NOTHING
                """)
            try await connection.run(
                """
                INSERT INTO sample_chunks (tenant_id, series_id, starts_at, ends_at, unit, steps, value, samples)
                SELECT s.tenant_id, s.id, p.starts_at, p.starts_at + 431 * 600000000::bigint, 1000, '{600000}',
                       (SELECT array_agg((n / 50 % 2)::float8) FROM generate_series(1, 432) AS n), 432
                  FROM series s,
                       (SELECT (extract(epoch FROM date_trunc('day', now()))::bigint / 2592000 * 2592000
                                + (k - \(endingDaysAgo / 30) * 10) * 259200) * 1000000 AS starts_at
                          FROM generate_series(-\(days / 3), -1) AS k) AS p
                 WHERE s.metric = 'occupied' AND s.owner_id IN (SELECT owner_id FROM devices WHERE device_eui LIKE '10000%')
                """)
        }
    }

    private static func analyze(_ database: MigratedDatabase) async throws {
        try await database.asSuperuser { try await $0.execute(script: "VACUUM ANALYZE") }
    }

    @Test func aPageOfSpacesCostsItsSpaces() async throws {
        try await TwoTenants.withDatabase { database in
            try await Self.furnish(database, spaces: 5_000)
            try await Self.analyze(database)
            let page = { @Sendable (scope: TenantScope) in
                Space.page(.init(sites: References(["C1"])), after: nil, limit: 201, in: scope)
            }
            let middle = UUID(uuidString: "0a000001-0000-7000-9000-000000002500")
            let later = { @Sendable (scope: TenantScope) in
                Space.page(.init(sites: References(["C1"])), after: middle, limit: 201, in: scope)
            }
            let before = try await (database.cost(page), database.cost(later))
            #expect(before.0 < 5_000 && before.1 < 5_000, "\(before)")
            try await Self.plant(database, site: 2, spaces: 20_000)
            try await Self.analyze(database)
            let after = try await (database.cost(page), database.cost(later))
            #expect(after.0 < before.0 * 3 / 2 && after.1 < before.1 * 3 / 2, "\(before) \(after)")
        }
    }

    @Test func aWeekOfAvailabilityCostsItsReservations() async throws {
        try await TwoTenants.withDatabase { database in
            try await Self.furnish(database, spaces: 200)
            try await Self.book(database, from: 0, days: 14)
            try await Self.analyze(database)
            let start = Timestamp.now()
            let week = { @Sendable (scope: TenantScope) in
                SpaceCalendar.of(
                    site: References(["C1"]), kinds: [], start..<start.adding(seconds: 7 * 86_400), after: nil,
                    limit: 201, in: scope)
            }
            let before = try await database.cost(week)
            #expect(before < 4_000, "\(before)")
            try await Self.book(database, from: -200, days: 200)
            try await Self.book(database, from: 60, days: 60)
            try await Self.analyze(database)
            let after = try await database.cost(week)
            #expect(after < before * 3 / 2, "\(before) \(after)")
        }
    }

    @Test func aMonthOfOccupancyCostsItsChunks() async throws {
        try await TwoTenants.withDatabase { database in
            try await Self.furnish(database, spaces: 100)
            try await Self.speak(database, endingDaysAgo: 0, days: 60)
            try await Self.analyze(database)
            let end = Timestamp.now()
            let month = { @Sendable (scope: TenantScope) in
                OccupancyReading.rows(
                    .site(Self.site, kinds: [], after: nil, limit: 100), end.adding(seconds: -30 * 86_400)..<end,
                    in: scope, ReadingBudget())
            }
            let before = try await database.cost(month)
            #expect(before < 8_000, "\(before)")
            try await Self.speak(database, endingDaysAgo: 60, days: 600)
            try await Self.analyze(database)
            let after = try await database.cost(month)
            #expect(after < before * 3 / 2, "\(before) \(after)")
        }
    }

    @Test func bookingLooksAtItsSpaceAlone() async throws {
        try await TwoTenants.withDatabase { database in
            try await Self.furnish(database, spaces: 200)
            try await Self.book(database, from: 0, days: 20)
            try await Self.analyze(database)
            let tomorrow = Timestamp.now().adding(seconds: 86_400)
            let free = { @Sendable (scope: TenantScope) in
                SpaceCalendar.of(
                    space: UUID(uuidString: "0a000001-0000-7000-9000-000000000077") ?? UUID(),
                    tomorrow..<tomorrow.adding(seconds: 86_400), in: scope)
            }
            let before = try await database.cost(free)
            #expect(before < 300, "\(before)")
            try await Self.book(database, from: -200, days: 200)
            try await Self.analyze(database)
            #expect(try await database.cost(free) < before * 3 / 2 + 20)
        }
    }
}
