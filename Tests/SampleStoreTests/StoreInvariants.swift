import Postgres
import Support

/// What holds of the tables when all is quiet and compacted.
struct StoreInvariants {
    let ground: HistoryGround

    func check() async throws {
        for (what, broken) in Self.broken {
            let found: [String] = try await ground.clone.asSuperuser { try await $0.all(broken) }
            guard found.isEmpty else { throw ground.failure("\(what): \(found.prefix(3))") }
        }
    }

    /// Each answers what contradicts it.
    private static let broken: [(what: String, Statement<String>)] = [
        ("the log is empty", "SELECT l.id::text FROM sample_log l"),
        (
            "a series and time is in one chunk only",
            """
            SELECT c.series_id || ' at ' || s.ts || ' ' || count(*) || ' times'
              FROM sample_chunks c, LATERAL chunk_samples(c) s
             GROUP BY c.tenant_id, c.series_id, s.ts HAVING count(*) > 1
            """
        ),
        (
            "a chunk holds about 700 samples at most",
            "SELECT c::text FROM sample_chunks c WHERE samples NOT BETWEEN 1 AND 1050"
        ),
        (
            "a chunk's samples are sorted",
            """
            SELECT c::text FROM sample_chunks c
             WHERE EXISTS (SELECT FROM (SELECT s.ts, lag(s.ts) OVER (ORDER BY s.place) AS before
                                          FROM chunk_samples(c)
                                               WITH ORDINALITY AS s (ts, value, place)) s
                            WHERE s.ts <= s.before)
            """
        ),
        (
            "a chunk has a step between neighbours, and as many values as it says",
            """
            SELECT c::text FROM sample_chunks c
             WHERE packed_steps IS NULL OR substr(packed_steps, 3, 4) <> int4send(samples - 1)
                OR substr(packed_values, 3, 4) <> int4send(samples)
            """
        ),
        (
            "ends_at is the last sample's time",
            """
            SELECT c::text FROM sample_chunks c
             WHERE ends_at <> (SELECT max(s.ts) FROM chunk_samples(c) s)
            """
        ),
        (
            "a chunk stays within its period",
            "SELECT c::text FROM sample_chunks c WHERE starts_at / 2592000000000 <> ends_at / 2592000000000"
        ),
        (
            "a chunk is of a series of its tenant",
            """
            SELECT c.series_id::text FROM sample_chunks c
             WHERE NOT EXISTS (SELECT FROM series s WHERE s.tenant_id = c.tenant_id AND s.id = c.series_id)
            """
        ),
        (
            "the series are counted",
            """
            SELECT c::text FROM series_counts c
             WHERE count <> (SELECT count(*) FROM series s WHERE s.tenant_id = c.tenant_id)
            """
        ),
    ]
}
