import Postgres
import Shared

/// One row of what ``SeriesReading`` reads.
enum SeriesReadingRow: RowDecodable {
    case series(SeriesDescription)
    case samples(StoredSamples)

    init(_ row: Row) throws {
        let isSeries = try row["kind"] as Int32 == 0
        self = isSeries ? .series(try SeriesDescription(row)) : .samples(try StoredSamples(row))
    }
}

extension SeriesFilter {
    /// A chunk stays within one period, so none that begins before this can reach to `ts`. The schema's division cuts
    /// towards zero: the period around 1970 is twice as long, and those before it end where others begin.
    static func earliestChunk(reaching ts: Int64) -> Int64 {
        let period = ts / SampleChunk.period
        return (period > 0 ? period : period - 1) * SampleChunk.period
    }

    /// The series, their chunks and what the log holds of them, in ONE statement: compaction moves samples from the log
    /// to chunks, so two statements of a READ COMMITTED transaction could miss or double what it moved between them.
    ///
    /// Rows past the budget are not sent; `read` then says more than the budget.
    func reading(_ span: Range<Int64>, in scope: TenantScope, _ budget: ReadingBudget)
        -> Statement<SeriesReadingRow>
    {
        """
        WITH picked AS MATERIALIZED (\(rows(in: scope, limit: budget.series + 1))),
        held AS (
            SELECT 1 AS kind, c.series_id AS id, c.starts_at AS first, c.unit, c.steps, c.packed_steps, c.packed_values,
                   NULL::int[] AS series, NULL::int8[] AS ts, c.value, c.samples
              FROM picked p CROSS JOIN LATERAL (\(Self.chunks(in: span, of: scope.tenantID))) c
            UNION ALL
            SELECT 2, NULL, l.id, NULL, NULL, NULL, NULL, s.series, s.ts, s.value, cardinality(s.value)
              FROM sample_log l CROSS JOIN LATERAL (\(Self.loggedSamples(in: span))) s
             WHERE l.tenant_id = \(scope.tenantID) AND l.owner_id IN (SELECT owner_id FROM picked)
               AND s.series IS NOT NULL
             LIMIT \(Int64(budget.rows))
        ),
        counted AS (
            SELECT held.*, sum(samples) OVER (ROWS UNBOUNDED PRECEDING) AS read FROM held
        )
        SELECT 0 AS kind, id, metric, labels, created_at, owner_kind, owner_uuid, owner_code,
               NULL::int8 AS first, NULL::int AS unit, NULL::int[] AS steps, NULL::bytea AS packed_steps,
               NULL::bytea AS packed_values, NULL::int[] AS series,
               NULL::int8[] AS ts, NULL::float8[] AS value, NULL::int8 AS read
          FROM picked
        UNION ALL
        SELECT kind, id, NULL, NULL, NULL, NULL, NULL, NULL, first, unit, steps, packed_steps, packed_values, series, ts,
               value, read
          FROM counted WHERE read - samples <= \(Int64(budget.samples))
        """
    }

    /// `OFFSET 0` keeps the planner from turning this look-up by primary key into a join over whole partitions.
    private static func chunks(in span: Range<Int64>, of tenant: TenantID) -> Fragment {
        """
        SELECT series_id, starts_at, unit, steps, packed_steps, packed_values, value, samples FROM sample_chunks
         WHERE tenant_id = \(tenant) AND series_id = p.id
           AND starts_at >= \(earliestChunk(reaching: span.lowerBound)) AND starts_at < \(span.upperBound)
           AND ends_at >= \(span.lowerBound)
        OFFSET 0
        """
    }

    /// Within a row of the log the place in the arrays is the order of acceptance. `IS TRUE` keeps IN a hashed look-up:
    /// as a join it could bring the samples in another order.
    private static func loggedSamples(in span: Range<Int64>) -> Fragment {
        """
        SELECT array_agg(u.series_id) AS series, array_agg(u.ts) AS ts, array_agg(u.value) AS value
          FROM unnest(l.series, l.ts, l.value) AS u (series_id, ts, value)
         WHERE u.ts >= \(span.lowerBound) AND u.ts < \(span.upperBound)
           AND (u.series_id IN (SELECT id FROM picked)) IS TRUE
        """
    }
}
