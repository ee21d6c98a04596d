import Foundation
import NIOCore
import Postgres
import Shared

/// The store whose batch it is, proven.
struct BatchSource: Hashable, Sendable {
    let tenant: Tenant
    let owner: Int32
}

/// A batch whose series are known.
struct PreparedBatch: Sendable {
    /// Without the rows that turned out not to be storable.
    let batch: MetricBatch
    /// Without samples where no row is good.
    let record: MetricRecord
}

/// From a batch's bytes to its place in the log, for requests that are answered and for those that were kept in the spool.
struct MetricIntake: Sendable {
    /// How far ahead of our clock a sample may be, seconds.
    static let maxAhead: Int64 = 600

    let parser: MetricBatchParser
    let series: SeriesDirectory
    let batcher: Batcher<MetricRecord, MetricOutcome>

    /// What became of a batch.
    struct Taken: Sendable {
        let batch: MetricBatch
        /// Good rows; none means that nothing was stored.
        let accepted: Int
        let outcome: MetricOutcome
    }

    /// - Parameter now: when the request arrived.
    /// - Throws: `Problem` for a body that is no batch.
    func parse(_ body: ByteBuffer, for tenant: Tenant, at now: Timestamp) throws -> MetricBatch {
        let window = TimeWindow(
            arrival: now, oldest: now.adding(seconds: -tenant.plan.retentionDays * 86_400),
            newest: now.adding(seconds: Self.maxAhead))
        let result = body.withUnsafeReadableBytes { bytes in
            Result<MetricBatch, MetricBatchFault> { () throws(MetricBatchFault) in
                try parser.parse(bytes, within: window)
            }
        }
        switch result {
        case .success(let batch): return batch
        case .failure(let fault): throw Problem(fault)
        }
    }

    /// - Parameters:
    ///   - batch: what was parsed of the body.
    ///   - fresh: the key of a batch that nothing in it makes known.
    func prepare(
        _ batch: MetricBatch, _ body: ByteBuffer, from source: BatchSource, at now: Timestamp, fresh: UUID = UUID()
    ) async throws -> PreparedBatch {
        var batch = batch
        let samples = try await resolve(&batch, from: source)
        let key = key(of: batch, samples, body, from: source, fresh: fresh)
        batch.forgetSeries()
        let record = MetricRecord(
            tenant: source.tenant.id, owner: source.owner, key: key.id, receivedAt: now, samples: samples)
        return PreparedBatch(batch: batch, record: record)
    }

    /// Returns once the batch is committed; it has its place in the batcher's queue before this suspends.
    func store(_ prepared: PreparedBatch, isUrgent: Bool = true) async throws -> Taken {
        let (batch, record) = (prepared.batch, prepared.record)
        guard !record.samples.isEmpty else { return Taken(batch: batch, accepted: 0, outcome: .refused) }
        let outcome = try await batcher.submit(record, isUrgent: isUrgent)
        return Taken(batch: batch, accepted: record.samples.count, outcome: outcome)
    }

    /// By what will be stored rather than by the text, where that is all there is to it: a batch that is sent again because a
    /// row has become acceptable meanwhile is another batch.
    private func key(
        of batch: MetricBatch, _ samples: SampleRun, _ body: ByteBuffer, from source: BatchSource, fresh: UUID
    ) -> BatchKey {
        BatchKey.make(
            owner: source.owner, batchID: batch.batchID, everyRowHasOwnTime: batch.everyRowHasOwnTime, fresh: fresh
        ) { digest in
            guard batch.everyRowHasOwnTime else {
                body.withUnsafeReadableBytes { digest.update($0) }
                return
            }
            samples.series.withUnsafeBytes { digest.update($0) }
            samples.ts.withUnsafeBytes { digest.update($0) }
            samples.values.withUnsafeBytes { digest.update($0) }
        }
    }

    /// The good rows in the log's form; rows past the tenant's bound of series become rejections.
    private func resolve(_ batch: inout MetricBatch, from source: BatchSource) async throws -> SampleRun {
        let (ids, unknown) = try await series.ids(of: batch, owner: source.owner, of: source.tenant)
        guard !unknown.isEmpty else {
            return SampleRun(series: ids, ts: batch.microseconds, values: batch.values)
        }
        batch.rejected += unknown.map { RowRejection(index: Int(batch.positions[$0]), code: .seriesLimit) }
        let left = Set(unknown)
        var run = SampleRun()
        for row in ids.indices where !left.contains(row) {
            run.append(series: ids[row], ts: batch.microseconds[row], value: batch.values[row])
        }
        batch.rejected.sort { $0.index < $1.index }
        return run
    }
}

extension MetricRecord: Groupable {
    /// What a request costs beside its samples, in samples.
    static let fixedCost = 16

    var tenantID: TenantID { tenant }
    var cost: Int { samples.count + Self.fixedCost }
    var locks: [Int64] { [OwnerOrder.number(owner, of: tenant)] }
}
