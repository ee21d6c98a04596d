import Foundation
import Postgres
import Shared
import Support
import Testing

@testable import Query

@Suite struct ReservationUpkeepTests {
    /// Every reservation's status, by its note.
    private static let statuses: Statement<String> =
        "SELECT note || ' ' || status || CASE WHEN checked_in_at IS NULL THEN '' ELSE '+' END FROM reservations WHERE note IS NOT NULL ORDER BY 1"

    private static func keep(_ database: MigratedDatabase, at now: Timestamp = .now()) async throws -> [String] {
        try await database.withPool(as: .system) { pool in
            _ = try await ReservationUpkeep(database: pool, logger: .silent).run(at: now)
        }
        return try await database.asSuperuser { try await $0.all(statuses) }
    }

    private static let planted = """
        DELETE FROM reservations;
        INSERT INTO reservations (tenant_id, id, space_id, starts_at, ends_at, status, holder_name, note, expires_at, checked_in_at, updated_at)
        SELECT sp.tenant_id, gen_random_uuid(), sp.id, now() + w.starts, now() + w.ends, w.status, 'Ana', w.note,
               CASE w.status WHEN 'pending' THEN now() + w.expires END, CASE WHEN w.checked_in THEN now() + w.starts END, now() - interval '1 day'
          FROM spaces sp,
               (VALUES ('late', interval '-16 minutes', interval '44 minutes', 'confirmed', NULL::interval, false),
                       ('over', '-90 minutes', '-30 minutes', 'confirmed', NULL, true),
                       ('slow', '1 hour', '2 hours', 'pending', '-1 second', false),
                       ('waits', '2 hours', '3 hours', 'pending', '10 minutes', false),
                       ('soon', '4 hours', '5 hours', 'confirmed', NULL, false)) AS w (note, starts, ends, status, expires, checked_in)
         WHERE sp.code = 'B1'
        """

    @Test func timeDoesWhatItDoes() async throws {
        try await TwoTenants.withDatabase { database in
            try await database.asSuperuser { try await $0.execute(script: Self.planted) }
            let expected = ["late no_show", "over completed+", "slow cancelled", "soon confirmed", "waits pending"]
            // Of both tenants.
            #expect(try await Self.keep(database) == expected.flatMap { [$0, $0] })
            let entries: Int64? = try await database.asSuperuser { connection in
                try await connection.first(
                    """
                    SELECT count(*) FROM audit_logs WHERE actor_kind = 'system' AND actor_name = 'reservations' AND actor_id IS NULL
                       AND action IN ('reservation.no_show', 'reservation.completed', 'reservation.expired')
                    """)
            }
            #expect(entries == 6)
            #expect(try await Self.keep(database) == expected.flatMap { [$0, $0] }, "once is enough")
            let later = Timestamp.now().adding(seconds: 5 * 3_600)
            let then = ["late no_show", "over completed+", "slow cancelled", "soon no_show", "waits cancelled"]
            #expect(try await Self.keep(database, at: later) == then.flatMap { [$0, $0] })
        }
    }

    /// Somebody came to north's bay and left before anybody looked; south does not ask its sensor.
    @Test func sensorsCheckInWhereTheTenantWantsIt() async throws {
        try await TwoTenants.withDatabase { database in
            let now = Timestamp.now()
            try await database.asSuperuser { connection in
                try await connection.execute(script: Self.planted)
                try await connection.execute(
                    script: """
                        UPDATE tenants SET settings = '{"reservations":{"sensor_check_in":true}}' WHERE slug = 'north';
                        DELETE FROM reservations WHERE note <> 'late';
                        """)
            }
            let spoken = SpokenOccupancy(owner: 111)
            try await spoken.say(
                [(now.adding(seconds: -1_200), 0), (now.adding(seconds: -600), 1), (now.adding(seconds: -300), 0)],
                in: database)
            #expect(try await Self.keep(database) == ["late confirmed+", "late no_show"])
            let at: Timestamp? = try await database.asSuperuser {
                try await $0.first("SELECT checked_in_at FROM reservations WHERE checked_in_at IS NOT NULL")
            }
            #expect(at == now.adding(seconds: -600))
            let later = Timestamp.now().adding(seconds: 3_600)
            #expect(try await Self.keep(database, at: later) == ["late completed+", "late no_show"])
        }
    }

    /// A sensor that says nothing accuses nobody; one that says free does.
    @Test(arguments: [false, true])
    func whoStaysAwayIsMissed(isHeard: Bool) async throws {
        try await TwoTenants.withDatabase { database in
            let now = Timestamp.now()
            try await database.asSuperuser { connection in
                try await connection.execute(script: Self.planted)
                try await connection.execute(
                    script: """
                        UPDATE tenants SET settings = '{"reservations":{"sensor_check_in":true}}' WHERE slug = 'north';
                        DELETE FROM reservations r USING tenants t WHERE t.id = r.tenant_id AND (r.note <> 'late' OR t.slug = 'south');
                        """)
            }
            if isHeard { try await SpokenOccupancy(owner: 111).say([(now.adding(seconds: -1_200), 0)], in: database) }
            #expect(try await Self.keep(database) == [isHeard ? "late no_show" : "late confirmed"])
        }
    }

    @Test func settingsThatNobodyCanReadAreAsNone() async throws {
        try await TwoTenants.withDatabase { database in
            try await database.asSuperuser { connection in
                try await connection.execute(script: Self.planted)
                try await connection.execute(
                    script: """
                        UPDATE tenants SET settings = '{"reservations":{"no_show_after_s":"soon","sensor_check_in":[],"pending_timeout_s":1e300}}'
                         WHERE slug = 'north';
                        UPDATE tenants SET settings = '{"reservations":7}' WHERE slug = 'south';
                        DELETE FROM reservations WHERE note <> 'late';
                        """)
            }
            #expect(try await Self.keep(database) == ["late no_show", "late no_show"])
        }
    }

    /// Several processes at once: each reservation is settled once.
    @Test func manyDoItOnce() async throws {
        try await TwoTenants.withDatabase { database in
            try await database.asSuperuser { connection in
                try await connection.execute(script: Self.planted)
                try await connection.execute(
                    script: """
                        DELETE FROM reservations;
                        INSERT INTO spaces (tenant_id, id, site_id, code, name)
                        SELECT tenant_id, gen_random_uuid(), id, 'Y' || i, 'Y' FROM sites, generate_series(1, 450) AS i WHERE code = 'P01';
                        INSERT INTO reservations (tenant_id, id, space_id, starts_at, ends_at, holder_name, updated_at)
                        SELECT tenant_id, gen_random_uuid(), id, now() - interval '1 hour', now(), 'Ana', now() - interval '1 day' FROM spaces WHERE name = 'Y';
                        """)
            }
            try await database.withPool(as: .system) { pool in
                let upkeep = ReservationUpkeep(database: pool, logger: .silent)
                try await withThrowingTaskGroup { group in
                    for _ in 0..<6 { group.addTask { _ = try await upkeep.run(at: .now()) } }
                    try await group.waitForAll()
                }
                _ = try await upkeep.run(at: .now())
            }
            let counts: [Int64] = try await database.asSuperuser { connection in
                [
                    try await connection.first("SELECT count(*) FROM reservations WHERE status = 'no_show'") ?? 0,
                    try await connection.first("SELECT count(*) FROM audit_logs WHERE action = 'reservation.no_show'")
                        ?? 0,
                ]
            }
            #expect(counts == [450, 450])
        }
    }
}
