import Postgres
import Shared

extension Compaction {
    /// What waits in an owner's log.
    struct Backlog: RowDecodable {
        let owner: Int32
        let requests: Int64
        let samples: Int64
        /// Of the oldest request.
        let seconds: Double
        /// It pays to condense it now.
        let isRipe: Bool

        init(_ row: Row) throws {
            owner = try row["owner_id"]
            requests = try row["requests"]
            samples = try row["samples"]
            seconds = try row["seconds"]
            isRipe = try row["is_ripe"]
        }
    }

    /// Every owner with something in the log. Ripe is what makes chunks large enough to stay (a chunk of ten costs three times the
    /// WAL a sample, and one of a hundred is written again when it is merged), what is much in any case, and what has waited for
    /// fifteen minutes. Series are counted up to what
    /// decides it, so an owner of many costs no more than its log is long, and one of little costs no look.
    static func backlog(of tenant: TenantID) -> Statement<Backlog> {
        """
        SELECT l.owner_id, l.requests, l.samples, l.seconds::float8 AS seconds,
               l.seconds >= \(Double(oldestUncompacted)) OR l.samples >= \(samplesAtOnce)
                   OR (l.samples >= \(samplesASeries)
                       AND l.samples >= \(samplesASeries) * (SELECT count(*) FROM (
                           SELECT FROM series s WHERE s.tenant_id = \(tenant) AND s.owner_id = l.owner_id
                            LIMIT l.samples / \(samplesASeries) + 1) counted)) AS is_ripe
          FROM (SELECT owner_id, count(*) AS requests, sum(samples) AS samples,
                       extract(epoch FROM now() - min(received_at)) AS seconds
                  FROM sample_log WHERE tenant_id = \(tenant) GROUP BY owner_id) l
         ORDER BY l.owner_id
        """
    }

    /// One row of the log, out of it.
    struct MovedRequest: RowDecodable {
        /// The order of acceptance.
        let id: Int64
        let series: [Int32]
        let ts: [Int64]
        let values: [Double]

        init(_ row: Row) throws {
            id = try row["id"]
            series = try row["series"]
            ts = try row["ts"]
            values = try row["value"]
            guard series.count == ts.count, ts.count == values.count else {
                throw PostgresError(kind: .decoding, message: "arrays of the log differ in length")
            }
        }
    }

    /// Takes an owner's first requests out of the log, until they hold so many samples together; nothing when another compactor
    /// has the tenant, whose lock is tried and kept to the transaction's end.
    ///
    /// Rows that are not committed yet wait for the next pass.
    static func takeOut(_ owner: Int32, of tenant: TenantID, samples: Int64) -> Statement<MovedRequest> {
        """
        DELETE FROM sample_log
         WHERE tenant_id = \(tenant) AND owner_id = \(owner)
           AND id <= (SELECT max(id)
                        FROM (SELECT id, sum(samples) OVER (ORDER BY id) - samples AS before
                                FROM sample_log WHERE tenant_id = \(tenant) AND owner_id = \(owner)
                               ORDER BY id LIMIT \(requestsAtOnce)) l
                       WHERE before < \(samples) AND (SELECT pg_try_advisory_xact_lock(\(lockClass), \(tenant))))
        RETURNING id, series, ts, value
        """
    }

    /// A chunk with its series.
    struct HeldChunk: RowDecodable {
        let series: Int32
        let chunk: SampleChunk

        init(_ row: Row) throws {
            series = try row["series_id"]
            chunk = try SampleChunk(row)
        }
    }

    /// Chunks that reach into the spans of what arrives; the period around 1970 is twice as long. A statement after the one that
    /// took the tenant's lock, so it sees all that the lock's last holder wrote.
    static func reaching(_ arriving: SortedSamples, of tenant: TenantID) -> Statement<HeldChunk> {
        """
        SELECT c.series_id, c.starts_at, c.unit, c.steps, c.value, c.packed_steps, c.packed_values
          FROM (SELECT series_id, since, until, since / \(SampleChunk.period) AS period
                  FROM unnest(\(arriving.series.map(\.id)), \(arriving.series.map(\.span.lowerBound)),
                              \(arriving.series.map(\.span.upperBound))) AS u (series_id, since, until)) a,
               LATERAL (SELECT * FROM sample_chunks c
                         WHERE c.tenant_id = \(tenant) AND c.series_id = a.series_id
                           AND c.starts_at >= (a.period - (a.period <= 0)::int) * \(SampleChunk.period)
                           AND c.starts_at <= a.until AND c.ends_at >= a.since
                        OFFSET 0) c
        """
    }

    /// Values that don't pack lie one after the other, and each chunk has its part of them: a statement for each would spend as much
    /// on itself as on the chunk.
    static func insert(_ chunks: ArraySlice<(series: Int32, chunk: SampleChunk)>, of tenant: TenantID) -> Command {
        let packed = chunks.map(\.chunk.packedValues)
        let values = zip(chunks, packed).map { $1 == nil ? $0.chunk.values : [] }
        let parts = ArrayParts(values.map(\.count))
        return """
            INSERT INTO sample_chunks (tenant_id, series_id, starts_at, ends_at, unit, samples, packed_steps, packed_values, value)
            SELECT \(tenant), series_id, starts_at, ends_at, unit, samples, packed_steps, packed_values,
                   CASE WHEN packed_values IS NULL THEN (\(Array(values.joined())))[first:last] END
              FROM unnest(\(chunks.map(\.series)), \(chunks.map(\.chunk.startsAt)), \(chunks.map(\.chunk.endsAt)),
                          \(chunks.map(\.chunk.unit)), \(chunks.map { Int32($0.chunk.values.count) }),
                          \(chunks.map(\.chunk.packedSteps)), \(packed), \(parts.firsts), \(parts.lasts))
                   AS c (series_id, starts_at, ends_at, unit, samples, packed_steps, packed_values, first, last)
            """
    }
}
