import Postgres
import Shared

extension Compaction {
    struct Backlog: RowDecodable {
        let owner: Int32
        let requests: Int64

        init(_ row: Row) throws {
            owner = try row["owner_id"]
            requests = try row["requests"]
        }
    }

    /// Owners whose log is worth condensing: it holds a hundred requests, or has waited long enough.
    static func backlog(of tenant: TenantID) -> Statement<Backlog> {
        """
        SELECT l.owner_id, l.requests
          FROM (SELECT owner_id, count(*) AS requests, min(id) AS first_id FROM sample_log
                 WHERE tenant_id = \(tenant) GROUP BY owner_id) l
         WHERE l.requests >= \(requestsWorthCompacting)
            OR (SELECT f.received_at FROM sample_log f
                 WHERE f.tenant_id = \(tenant) AND f.owner_id = l.owner_id AND f.id = l.first_id)
               < now() - make_interval(secs => \(Double(oldestUncompacted)))
         ORDER BY l.owner_id
        """
    }

    /// One compactor a tenant; the others pass on. Taken in a statement of its own, so that the next one's snapshot sees
    /// all that the lock's last holder wrote.
    static func tryLock(_ tenant: TenantID) -> Statement<Bool> {
        "SELECT pg_try_advisory_xact_lock(7310004, \(tenant))"
    }

    /// How far one statement goes.
    struct Bound: RowDecodable {
        let lastID: Int64
        let requests: Int64

        init(_ row: Row) throws {
            lastID = try row["last_id"]
            requests = try row["requests"]
        }
    }

    /// The owner's first requests, until they hold so many samples together; at least one, none when the log is empty.
    static func bound(_ owner: Int32, of tenant: TenantID, samples: Int64) -> Statement<Bound> {
        """
        SELECT max(id) AS last_id, count(*) AS requests
          FROM (SELECT id, sum(cardinality(ts)) OVER (ORDER BY id) - cardinality(ts) AS before
                  FROM (SELECT id, ts FROM sample_log WHERE tenant_id = \(tenant) AND owner_id = \(owner)
                         ORDER BY id LIMIT \(requestsAtOnce)) first) l
         WHERE before < \(samples)
        HAVING count(*) > 0
        """
    }

    /// Moves an owner's log up to an id into chunks. One statement, so a reader's snapshot sees each sample in the log or in a chunk.
    ///
    /// - `arriving`: of samples of one series and time, the first accepted;
    /// - `held`: what existing chunks have in the way, by the same rule accepted before, so it stays and the newcomer goes;
    /// - `cut`: a chunk ends after 700 samples, at a period's end, and where a step would not fit an int4.
    ///
    /// Rows that are not committed yet wait for the next pass.
    static func compact(_ owner: Int32, upTo lastID: Int64 = .max, of tenant: TenantID) -> Command {
        """
        WITH moved AS (
            DELETE FROM sample_log WHERE tenant_id = \(tenant) AND owner_id = \(owner) AND id <= \(lastID)
            RETURNING id, series, ts, value
        ), arriving AS MATERIALIZED (
            SELECT DISTINCT ON (s.series_id, s.ts) s.series_id, s.ts, s.value
              FROM moved m, LATERAL unnest(m.series, m.ts, m.value) WITH ORDINALITY AS s (series_id, ts, value, place)
             ORDER BY s.series_id, s.ts, m.id, s.place
        ), spans AS MATERIALIZED (
            SELECT series_id, min(ts) AS since, max(ts) AS until FROM arriving GROUP BY series_id
        ), held AS MATERIALIZED (
            SELECT c.series_id, s.ts
              FROM spans p,
                   LATERAL (SELECT * FROM sample_chunks c
                             WHERE c.tenant_id = \(tenant) AND c.series_id = p.series_id
                               AND c.starts_at >= p.since / \(period) * \(period) AND c.starts_at <= p.until
                               AND c.ends_at >= p.since) c,
                   LATERAL chunk_samples(c.starts_at, c.unit, c.steps, c.value) s
        ), fresh AS (
            SELECT a.series_id, a.ts, a.value,
                   a.ts - lag(a.ts) OVER of_series AS step,
                   row_number() OVER of_series AS n,
                   CASE WHEN bool_and(a.ts % 1000 = 0) OVER (PARTITION BY a.series_id) THEN 1000 ELSE 1 END AS unit,
                   a.ts / \(period) <> lag(a.ts) OVER of_series / \(period) AS crosses
              FROM arriving a
             WHERE NOT EXISTS (SELECT FROM held h WHERE h.series_id = a.series_id AND h.ts = a.ts)
            WINDOW of_series AS (PARTITION BY a.series_id ORDER BY a.ts)
        ), cut AS (
            SELECT series_id, ts, value, unit, step,
                   count(*) FILTER (WHERE n % \(samplesInChunk) = 1 OR crosses OR step / unit > 2147483647)
                       OVER (PARTITION BY series_id ORDER BY ts) AS chunk,
                   n % \(samplesInChunk) = 1 OR crosses OR step / unit > 2147483647 AS begins
              FROM fresh
        )
        INSERT INTO sample_chunks (tenant_id, series_id, starts_at, ends_at, unit, steps, value)
        SELECT \(tenant), series_id, min(ts), max(ts), unit,
               CASE WHEN count(*) > 2 AND min(step) FILTER (WHERE NOT begins) = max(step) FILTER (WHERE NOT begins)
                    THEN ARRAY[(min(step) FILTER (WHERE NOT begins) / unit)::int]
                    ELSE coalesce(array_agg((step / unit)::int ORDER BY ts) FILTER (WHERE NOT begins), '{}') END,
               array_agg(value ORDER BY ts)
          FROM cut
         GROUP BY series_id, unit, chunk
        """
    }
}
