import Foundation
import Hummingbird
import Postgres
import Shared
import Support
import Testing

@testable import Query

@Suite struct StoreStatusTests {
    @Test func aSilentStoreIsOffline() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.viewer)
            let status = try await bed.get("/api/v1/stores/T01/status", as: token).json
            #expect(status["online"] as? Bool == false)
            #expect(status["last_seen_at"] is NSNull && status["gateway_version"] is NSNull)
            #expect(status["active_alerts"] is NSNull)
            #expect(status["samples_last_hour"] as? Int == 0)
            let latest = try #require(status["latest"] as? [[String: Any]])
            #expect(latest.texts("metric") == ["pos.sales", "pos.sales"])
            #expect(latest.map { $0["value"] as? Double } == [1_100, 20])
            #expect(latest.texts("ts") == ["2026-01-05T00:11:00Z", "2026-01-05T00:00:00Z"])
            #expect((latest[1]["labels"] as? [String: String]) == ["till": "2"])
        }
    }

    @Test(arguments: [(90, true), (190, false)])
    func threeMissedIntervalsAreTooMany(secondsAgo: Int32, online: Bool) async throws {
        try await Testbed.run { bed in
            try await bed.database.asSuperuser { connection in
                try await connection.run(
                    """
                    INSERT INTO site_states (tenant_id, owner_id, last_seen_at, gateway_version)
                    SELECT id, 101, now() - make_interval(secs => \(secondsAgo)), 'till/1.2' FROM tenants
                     WHERE slug = 'north'
                    """)
            }
            let token = try await bed.token(TwoTenants.viewer)
            let status = try await bed.get("/api/v1/stores/T01/status", as: token).json
            #expect(status["online"] as? Bool == online)
            #expect(status["gateway_version"] as? String == "till/1.2")
        }
    }

    /// Late samples make a chunk that begins after another and ends before it; the same sample may lie in log and
    /// chunk.
    @Test func countsEachSampleOnceAndFindsTheNewest() async throws {
        try await Testbed.run { bed in
            try await bed.database.asSuperuser { try await $0.execute(script: Self.script) }
            let token = try await bed.token(TwoTenants.viewer)
            let status = try await bed.get("/api/v1/stores/T02/status", as: token).json
            #expect(status["samples_last_hour"] as? Int == 31 + 10 + 2)
            let latest = try #require(status["latest"] as? [[String: Any]])
            #expect(latest.map { $0["value"] as? Double } == [30])
        }
    }

    /// Minutes before now, in series 4: a chunk of 32 … 2, later samples in 20.5 … 11.5 as older chunks are, and a log that
    /// repeats minute 2 and adds 59 and 40.5, beside what is too old and what is still to come.
    private static let script = """
        CREATE TEMP TABLE base AS
        SELECT id AS tenant, (extract(epoch FROM now()) * 1000)::bigint * 1000 - 1000000 AS t FROM tenants
         WHERE slug = 'north';
        CREATE FUNCTION pg_temp.ago(minutes float8) RETURNS bigint LANGUAGE sql AS
            $$ SELECT t - (minutes * 60000000)::bigint FROM base $$;
        DELETE FROM sample_log WHERE owner_id = 102;
        INSERT INTO sample_chunks (tenant_id, series_id, starts_at, ends_at, unit, samples, packed_steps, packed_values)
        SELECT tenant, 4, pg_temp.ago(32), pg_temp.ago(2), 1000, 31, '\\x0000'::bytea || int4send(30) || int8send(60000),
               '\\x0100'::bytea || int4send(31) || int8send(0)
               || (SELECT string_agg(set_byte('\\x00', 0, i), '' ORDER BY i) FROM generate_series(0, 30) i) FROM base;
        INSERT INTO sample_chunks SELECT tenant, 4, pg_temp.ago(20.5), pg_temp.ago(11.5), 1000, '{60000}',
            (SELECT array_agg(i::float8) FROM generate_series(100, 109) i), 10 FROM base;
        INSERT INTO sample_log (tenant_id, owner_id, series, ts, value)
        SELECT tenant, 102, '{4,4,4,4}',
               ARRAY[pg_temp.ago(2), pg_temp.ago(59), pg_temp.ago(40.5), pg_temp.ago(61)], '{-1,-2,-3,-4}' FROM base;
        """
}
