import Postgres
import Shared

extension StoreStatus {
    /// Series shown at most, in the order of their metrics.
    static let maxLatest: Int64 = 500

    /// The store and its newest samples in ONE statement, so that a sample which compaction moves meanwhile is seen
    /// once.
    ///
    /// - Parameter now: ends the hour whose samples are counted.
    static func find(_ store: References, now: Timestamp, in scope: TenantScope) -> Statement<StoreStatusRow> {
        let tenant = scope.tenantID
        let hour = (now.adding(seconds: -3_600).microseconds + 1)..<(now.microseconds + 1)
        return """
            WITH store AS MATERIALIZED (
                SELECT owner_id, code, name, expected_interval_s FROM sites
                 WHERE \(store.matchSite(of: tenant)) AND kind = 'store' AND \(scope.sees(site: "id"))
            ),
            owned AS MATERIALIZED (
                SELECT s.id, s.metric, s.labels FROM series s
                 WHERE s.tenant_id = \(tenant) AND s.owner_id = (SELECT owner_id FROM store)
            ),
            logged AS MATERIALIZED (
                SELECT u.series_id, u.ts, u.value, l.id, u.place
                  FROM sample_log l,
                       LATERAL unnest(l.series, l.ts, l.value) WITH ORDINALITY AS u (series_id, ts, value, place)
                 WHERE l.tenant_id = \(tenant) AND l.owner_id = (SELECT owner_id FROM store)
            ),
            newest_logged AS MATERIALIZED (
                SELECT DISTINCT ON (series_id) series_id, ts, value FROM logged
                 ORDER BY series_id, ts DESC, id, place
            )
            SELECT store.code, store.name, store.expected_interval_s, state.last_seen_at, state.gateway_version,
                   (\(countOfSamples(in: hour, of: tenant))) AS samples_last_hour,
                   NULL::text AS metric, NULL::jsonb AS labels, NULL::float8 AS value, NULL::int8 AS ts
              FROM store
              LEFT JOIN site_states state ON state.tenant_id = \(tenant) AND state.owner_id = store.owner_id
            UNION ALL
            SELECT NULL, NULL, NULL, NULL, NULL, NULL, shown.metric, shown.labels, newest.value, newest.ts
              FROM (SELECT * FROM owned ORDER BY metric, id LIMIT \(maxLatest)) shown
              CROSS JOIN LATERAL (\(newestSample(of: tenant))) newest
            """
    }

    private static func countOfSamples(in span: Range<Int64>, of tenant: TenantID) -> Fragment {
        """
        SELECT count(*) FROM (
            SELECT o.id, t.ts
              FROM owned o
              CROSS JOIN LATERAL (
                  SELECT c FROM sample_chunks c
                   WHERE tenant_id = \(tenant) AND series_id = o.id
                     AND starts_at >= \(SeriesFilter.earliestChunk(reaching: span.lowerBound))
                     AND starts_at < \(span.upperBound) AND ends_at >= \(span.lowerBound)
                  OFFSET 0) held
              CROSS JOIN LATERAL chunk_samples(held.c) t
             WHERE t.ts >= \(span.lowerBound) AND t.ts < \(span.upperBound)
            UNION
            SELECT series_id, ts FROM logged WHERE ts >= \(span.lowerBound) AND ts < \(span.upperBound)) once
        """
    }

    /// The newest sample of `shown`. Late samples make chunks that begin late and end early, so the chunk that begins
    /// last needn't be the one that ends last; but that one lies in the same period. Of equal times the chunk's sample
    /// counts.
    private static func newestSample(of tenant: TenantID) -> Fragment {
        """
        SELECT ts, value FROM (
            (SELECT ends_at AS ts, coalesce(value[samples], packed_number(packed_values, samples)) AS value, 0 AS place
               FROM sample_chunks
              WHERE tenant_id = \(tenant) AND series_id = shown.id
                AND starts_at >= (SELECT max(starts_at) / \(SampleChunk.period) * \(SampleChunk.period)
                                    FROM sample_chunks WHERE tenant_id = \(tenant) AND series_id = shown.id)
              ORDER BY ends_at DESC LIMIT 1)
            UNION ALL
            (SELECT ts, value, 1 FROM newest_logged WHERE series_id = shown.id)) held
         ORDER BY ts DESC, place LIMIT 1
        """
    }
}
