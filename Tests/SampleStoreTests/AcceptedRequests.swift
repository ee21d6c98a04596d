import Postgres
import Support

/// A second log, which nothing ever leaves: a trigger copies each request into it in the request's own transaction. What the
/// store must hold then follows in plain SQL, at any moment and without allowance for what was under way.
struct AcceptedRequests {
    let ground: HistoryGround

    private struct Difference: RowDecodable, CustomStringConvertible {
        let description: String

        init(_ row: Row) throws {
            description = try row["text"]
        }
    }

    static func plant(in clone: MigratedDatabase) async throws {
        try await clone.asSuperuser { connection in
            try await connection.execute(
                script: """
                    CREATE TABLE accepted_requests (LIKE sample_log);
                    CREATE FUNCTION keep_accepted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
                    BEGIN
                        INSERT INTO public.accepted_requests SELECT NEW.*;
                        RETURN NULL;
                    END
                    $$;
                    CREATE TRIGGER keep_accepted AFTER INSERT ON sample_log
                        FOR EACH ROW EXECUTE FUNCTION keep_accepted();
                    """)
        }
    }

    /// In one snapshot: of each series and time the value with the lowest id in the log, and nothing else. Bit for bit.
    func audit() async throws {
        let differences: [Difference] = try await ground.clone.asSuperuser { connection in
            try await connection.all(
                """
                WITH expected AS (
                    SELECT DISTINCT ON (r.tenant_id, s.series_id, s.ts)
                           r.tenant_id, s.series_id, s.ts, float8send(s.value) AS value
                      FROM accepted_requests r,
                           LATERAL unnest(r.series, r.ts, r.value) WITH ORDINALITY AS s (series_id, ts, value, place)
                     ORDER BY r.tenant_id, s.series_id, s.ts, r.id, s.place
                ), held AS (
                    SELECT tenant_id, series_id, ts, float8send(value) AS value FROM samples
                )
                SELECT concat(d.what, ': tenant ', d.tenant_id, ', series ', d.series_id, ', ts ', d.ts, '; log ',
                       (SELECT string_agg(s.value || ' in request ' || r.id, ', ' ORDER BY r.id, s.place)
                          FROM accepted_requests r,
                               LATERAL unnest(r.series, r.ts, r.value) WITH ORDINALITY AS s (series_id, ts, value, place)
                         WHERE r.tenant_id = d.tenant_id AND s.series_id = d.series_id AND s.ts = d.ts), '; held ',
                       (SELECT string_agg(h.value::text, ', ') FROM samples h
                         WHERE h.tenant_id = d.tenant_id AND h.series_id = d.series_id AND h.ts = d.ts)) AS text
                  FROM (SELECT 'expected' AS what, e.* FROM (TABLE expected EXCEPT ALL TABLE held) e
                        UNION ALL
                        SELECT 'held', h.* FROM (TABLE held EXCEPT ALL TABLE expected) h) d
                 LIMIT 3
                """)
        }
        guard differences.isEmpty else {
            throw ground.failure("the store differs from the order of its log: \(differences)")
        }
    }

    /// Each request was stored once, whatever became of its connections.
    func checkCount() async throws {
        let count: Int64? = try await ground.clone.asSuperuser {
            try await $0.first("SELECT count(*) FROM accepted_requests")
        }
        guard count == Int64(ground.tally[.stored]) else {
            throw ground.failure("\(ground.tally[.stored]) requests were stored, the log had \(count ?? -1)")
        }
    }
}
