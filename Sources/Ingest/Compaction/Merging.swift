import Logging
import Postgres
import Shared

/// Small chunks become larger ones. A size class is merged when it makes about ten times larger chunks of it, so a sample is
/// written again at most three times: hours into days, days into a period. What a period that is over still has in pieces is
/// put together whatever its size.
///
/// No two chunks of a series share a time, so merging has nothing to decide.
extension Compaction {
    /// A chunk of at least so many samples stays as it is. The index `sample_chunks_small` holds the others; it is used only by
    /// queries that say the number in their text.
    static let smallest = 350
    /// Small chunks looked at by one statement, and samples merged by one transaction.
    static let chunksAtOnce = 20_000
    static let samplesMergedAtOnce = 200_000

    /// Small chunks of one series, period and class that are worth merging.
    struct Fragments: RowDecodable {
        let series: Int32
        let starts: [Int64]
        let samples: Int64

        init(_ row: Row) throws {
            series = try row["series_id"]
            starts = try row["starts"]
            samples = try row["samples"]
        }
    }

    /// How far one look at the small chunks of a tenant went.
    struct Look: RowDecodable {
        let chunks: Int64
        let lastSeries: Int32?

        init(_ row: Row) throws {
            chunks = try row["chunks"]
            lastSeries = try row["last_series"]
        }
    }

    /// One walk over the small chunks of all tenants; returns how many chunks were merged.
    @discardableResult
    func mergeOnce(now: Timestamp = .now()) async throws -> Int {
        var merged = 0
        for tenant in try await database.lookUp(Tenant.all()) {
            do {
                merged += try await merge(tenant, now)
            } catch let error as PostgresError {
                metrics.failures.increment()
                logger.warning("merging failed", metadata: ["tenant": "\(tenant.slug)", "reason": "\(error)"])
            }
        }
        return merged
    }

    private func merge(_ tenant: Tenant, _ now: Timestamp) async throws -> Int {
        var (merged, after) = (0, Int32(0))
        while !Task.isCancelled {
            guard let look = try await database.read(tenant, Self.look(after: after, of: tenant.id)).first,
                let last = look.lastSeries
            else { return merged }
            let fragments = try await database.read(
                tenant, Self.fragments(after: after, upTo: last, of: tenant.id, now: now))
            for group in fragments.grouped(upTo: Self.samplesMergedAtOnce) {
                let start = ContinuousClock.now
                merged += try await merge(group, of: tenant)
                // It hurries nobody: requests have the processor for as long as merging had it.
                try await Task.sleep(for: min(interval, ContinuousClock.now - start))
            }
            guard look.chunks >= Self.chunksAtOnce else { return merged }
            after = last
        }
        return merged
    }

    private func merge(_ fragments: ArraySlice<Fragments>, of tenant: Tenant) async throws -> Int {
        let (merged, written) = try await database.withTenant(tenant) { tx in
            let chunks = try await tx.all(Self.takeOut(fragments, of: tenant.id))
            var samples = SortedSamples()
            for chunk in chunks { samples.add(chunk.chunk, of: chunk.series) }
            samples.sort()
            return (chunks.count, try await write(samples, of: tenant.id, in: tx))
        }
        metrics.chunksMerged.increment(by: merged)
        metrics.chunksWritten.increment(by: written)
        return merged
    }
}

extension Compaction {
    /// The next series whose small chunks are looked at, some thousands of chunks at a time and each series whole.
    static func look(after series: Int32, of tenant: TenantID) -> Statement<Look> {
        """
        SELECT count(*) AS chunks, max(series_id) AS last_series
          FROM (SELECT series_id FROM sample_chunks
                 WHERE tenant_id = \(tenant) AND samples < 350 AND series_id > \(series)
                 ORDER BY series_id LIMIT \(chunksAtOnce)) looked
        """
    }

    static func fragments(
        after series: Int32, upTo last: Int32, of tenant: TenantID, now: Timestamp
    ) -> Statement<Fragments> {
        """
        SELECT series_id, array_agg(starts_at) AS starts, sum(samples) AS samples
          FROM (SELECT series_id, starts_at, samples, starts_at / \(SampleChunk.period) AS period,
                       starts_at / \(SampleChunk.period) < \(now.microseconds / SampleChunk.period) AS is_over
                  FROM sample_chunks
                 WHERE tenant_id = \(tenant) AND samples < 350 AND series_id > \(series) AND series_id <= \(last)) c
         GROUP BY series_id, period, is_over,
                  CASE WHEN is_over THEN 0 WHEN samples < 10 THEN 1 WHEN samples < 100 THEN 2 ELSE 3 END
        HAVING count(*) >= CASE WHEN is_over THEN 2 ELSE 10 END OR (count(*) >= 2 AND sum(samples) >= \(SampleChunk.goodSize))
         ORDER BY series_id, period
        """
    }

    /// Takes those of the chunks that are still there, if the tenant's lock is free.
    static func takeOut(_ fragments: ArraySlice<Fragments>, of tenant: TenantID) -> Statement<HeldChunk> {
        let holders = fragments.flatMap { Array(repeating: $0.series, count: $0.starts.count) }
        return """
            DELETE FROM sample_chunks c
             USING unnest(\(holders), \(fragments.flatMap(\.starts))) AS f (series_id, starts_at)
             WHERE (SELECT pg_try_advisory_xact_lock(\(lockClass), \(tenant)))
               AND c.tenant_id = \(tenant) AND c.series_id = f.series_id AND c.starts_at = f.starts_at
            RETURNING c.series_id, c.starts_at, c.unit, c.steps, c.value, c.packed_steps, c.packed_values
            """
    }
}

extension [Compaction.Fragments] {
    /// Neighbours together, as long as they hold no more samples than that.
    fileprivate func grouped(upTo samples: Int) -> [ArraySlice<Compaction.Fragments>] {
        var groups: [ArraySlice<Compaction.Fragments>] = []
        var (start, held) = (0, 0)
        for index in indices {
            if held > 0, held + Int(self[index].samples) > samples {
                groups.append(self[start..<index])
                (start, held) = (index, 0)
            }
            held += Int(self[index].samples)
        }
        if start < endIndex { groups.append(self[start..<endIndex]) }
        return groups
    }
}
