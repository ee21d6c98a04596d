import Foundation
import Postgres
import Shared

/// One row of what ``OccupancyReading`` reads: a sensor's time in a space, or what the sensors said.
enum OccupancyRow: RowDecodable {
    case placement(OccupancyReading.Placement)
    case samples(StoredSamples)

    init(_ row: Row) throws {
        let isPlacement = try row["kind"] as Int32 == 0
        self = isPlacement ? .placement(try OccupancyReading.Placement(row)) : .samples(try StoredSamples(row))
    }
}

extension OccupancyReading {
    /// Which spaces.
    enum Subject: Sendable {
        case space(UUID)
        /// Those of a site that had a sensor in the span, in the order of creation.
        case site(UUID, kinds: [Space.Kind], after: UUID?, limit: Int)
    }

    /// Which sensors the spaces had in the span, and what these said: in it, and as long before it as a reading holds. In ONE statement,
    /// as ``SeriesFilter/reading(_:in:_:)`` is, since compaction moves samples from the log to chunks.
    static func rows(
        _ subject: Subject, _ span: Range<Timestamp>, in scope: TenantScope, _ budget: ReadingBudget
    ) -> Statement<OccupancyRow> {
        let (tenant, from, to) = (scope.tenantID, span.lowerBound, span.upperBound)
        let (first, end) = (from.microseconds, to.microseconds)
        return """
            WITH wanted AS MATERIALIZED (
                SELECT sp.id FROM spaces sp
                 WHERE sp.tenant_id = \(tenant) AND sp.deleted_at IS NULL AND \(scope.sees(site: "sp.site_id"))
                   AND EXISTS (SELECT FROM space_devices h WHERE h.tenant_id = \(tenant) AND h.space_id = sp.id
                                  AND h.since < \(to) AND (h.until IS NULL OR h.until > \(from)))
                   AND \(isWanted(subject))
            ), placed AS MATERIALIZED (
                SELECT w.id AS space_id, d.owner_id, s.id AS series_id, h.since AS began, greatest(h.since, \(from)) AS since,
                       least(coalesce(h.until, \(to)), \(to)) AS until, coalesce(p.expected_interval_s, 3600) AS expected_interval_s
                  FROM wanted w
                  JOIN space_devices h ON h.tenant_id = \(tenant) AND h.space_id = w.id
                                      AND h.since < \(to) AND (h.until IS NULL OR h.until > \(from))
                  JOIN devices d ON d.tenant_id = \(tenant) AND d.owner_id = h.owner_id
                  LEFT JOIN device_profiles p ON p.tenant_id = \(tenant) AND p.id = d.profile_id
                  LEFT JOIN series s ON s.tenant_id = \(tenant) AND s.owner_id = d.owner_id
                                    AND s.metric = coalesce(p.occupied_field, 'occupied') AND s.labels = '{}'
            ), picked AS MATERIALIZED (
                SELECT DISTINCT series_id AS id, owner_id, \(first) - expected_interval_s * 1000000::bigint AS earliest
                  FROM placed WHERE series_id IS NOT NULL
            ), held AS (
                SELECT 1 AS kind, c.series_id AS id, c.starts_at AS first, c.unit, c.steps, c.packed_steps, c.packed_values,
                       NULL::int[] AS series, NULL::int8[] AS ts, c.value, c.samples
                  FROM picked k CROSS JOIN LATERAL (
                       SELECT * FROM sample_chunks c
                        WHERE c.tenant_id = \(tenant) AND c.series_id = k.id AND c.starts_at < \(end) AND c.ends_at >= k.earliest
                          AND c.starts_at >= (k.earliest / \(SampleChunk.period) - (k.earliest < 0)::int) * \(SampleChunk.period)
                       OFFSET 0) c
                UNION ALL
                SELECT 2, NULL, l.id, NULL, NULL, NULL, NULL, u.series, u.ts, u.value, cardinality(u.value)
                  FROM sample_log l CROSS JOIN LATERAL (
                       SELECT array_agg(n.series_id) AS series, array_agg(n.ts) AS ts, array_agg(n.value) AS value
                         FROM unnest(l.series, l.ts, l.value) AS n (series_id, ts, value)
                        WHERE n.ts < \(end) AND (n.series_id IN (SELECT id FROM picked)) IS TRUE) u
                 WHERE l.tenant_id = \(tenant) AND l.owner_id IN (SELECT owner_id FROM picked) AND u.series IS NOT NULL
                 LIMIT \(Int64(budget.rows))
            ), counted AS (
                SELECT held.*, sum(samples) OVER (ROWS UNBOUNDED PRECEDING) AS read FROM held
            )
            SELECT 0 AS kind, series_id AS id, space_id, began, since, until, expected_interval_s,
                   NULL::int8 AS first, NULL::int AS unit, NULL::int[] AS steps, NULL::bytea AS packed_steps,
                   NULL::bytea AS packed_values, NULL::int[] AS series, NULL::int8[] AS ts, NULL::float8[] AS value, NULL::int8 AS read
              FROM placed
            UNION ALL
            SELECT kind, id, NULL, NULL, NULL, NULL, NULL, first, unit, steps, packed_steps, packed_values, series, ts, value, read
              FROM counted WHERE read - samples <= \(Int64(budget.samples))
            """
    }

    private static func isWanted(_ subject: Subject) -> Fragment {
        switch subject {
        case .space(let id): return "sp.id = \(id)"
        case .site(let id, let kinds, let after, let limit):
            var conditions: [Fragment] = ["sp.site_id = \(id)"]
            if !kinds.isEmpty { conditions.append("sp.kind = ANY (\(kinds.map(\.rawValue)))") }
            if let after { conditions.append("sp.id > \(after)") }
            return "\(conditions.joined(separator: " AND ")) ORDER BY sp.id LIMIT \(Int64(limit))"
        }
    }
}
