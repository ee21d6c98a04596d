import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Postgres
import Shared

/// `POST /v1/metrics/batch`: who, how often, how much, what, and then into the log. In this order, so that a stranger's body
/// is never read.
struct MetricBatchRoute: Sendable {
    /// Bytes of a body, before and after decompression.
    static let maxBodyBytes = 8 << 20
    /// Rejections listed in an answer; all are counted.
    static let maxListed = 100
    /// How far ahead of our clock a sample may be, seconds.
    static let maxAhead: Int64 = 600

    let keys: StoreKeyDirectory
    let rates: RateLimiter
    let parser: MetricBatchParser
    let series: SeriesDirectory
    let batcher: Batcher<MetricRecord, MetricOutcome>
    let activity: Activity
    let bodies: BodyBudget
    let metrics: IngestMetrics

    func register(on router: Router<AnonymousRequestContext>) {
        router.post("/v1/metrics/batch", use: take)
    }

    @Sendable func take(_ request: Request, _ context: AnonymousRequestContext) async throws -> Response {
        let credential = try await authenticate(request)
        try rates.admit(credential.tenant, credential: credential.keyID)
        let lease = bodies.lease()
        defer { withExtendedLifetime(lease) {} }
        let body = try await request.decodedBody(limit: Self.maxBodyBytes, lease: lease, context: context)
        let now = Timestamp.now()
        let (batch, record) = try await prepare(body, for: credential, at: now)
        let samples = record.samples
        guard !samples.isEmpty else {
            metrics.countSamples(rejected: batch.rejected)
            throw MetricBatchAnswer.nothingStored(batch)
        }
        let outcome = try await batcher.submit(record, cost: record.cost)
        activity.seen(credential, gatewayVersion: request.headers[.userAgent].map(Self.gatewayVersion), at: now)
        metrics.countSamples(samples.count, outcome, rejected: batch.rejected)
        return try MetricBatchAnswer(batch: batch, accepted: samples.count, outcome: outcome).response()
    }

    /// From the body's bytes to the record that the batcher takes; without samples where no row is good.
    ///
    /// - Parameter now: when the request arrived.
    func prepare(
        _ body: ByteBuffer, for credential: StoreCredential, at now: Timestamp
    ) async throws -> (batch: MetricBatch, record: MetricRecord) {
        var batch = try parse(body, for: credential.tenant, at: now)
        let samples = try await resolve(&batch, for: credential)
        let key = key(of: batch, samples, body, for: credential)
        let record = MetricRecord(
            tenant: credential.tenant.id, owner: credential.owner, key: key.id, receivedAt: now, samples: samples)
        return (batch, record)
    }

    /// By what will be stored rather than by the text, where that is all there is to it: a batch that is sent again because a
    /// row has become acceptable meanwhile is another batch.
    private func key(
        of batch: MetricBatch, _ samples: SampleRun, _ body: ByteBuffer, for credential: StoreCredential
    ) -> BatchKey {
        BatchKey.make(
            owner: credential.owner, batchID: batch.batchID, everyRowHasOwnTime: batch.everyRowHasOwnTime
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

    /// One answer for every reason, so that it tells nobody which part was right.
    private func authenticate(_ request: Request) async throws -> StoreCredential {
        guard let token = request.bearerToken, let credential = try await keys.credential(for: token) else {
            metrics.refusedCredentials.increment()
            throw Problem.unauthorized(challenge: "Bearer realm=\"pulsegate\"")
        }
        return credential
    }

    private func parse(_ body: ByteBuffer, for tenant: Tenant, at now: Timestamp) throws -> MetricBatch {
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

    /// The good rows in the log's form; rows past the tenant's bound of series become rejections.
    private func resolve(_ batch: inout MetricBatch, for credential: StoreCredential) async throws -> SampleRun {
        let (ids, unknown) = try await series.ids(of: batch, owner: credential.owner, of: credential.tenant)
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

    /// What a User-Agent says of a gateway, bounded and without control characters.
    private static func gatewayVersion(_ userAgent: String) -> String {
        if userAgent.utf8.count <= 128, userAgent.utf8.allSatisfy({ (32..<127).contains($0) }) { return userAgent }
        return String(
            userAgent.unicodeScalars.filter { $0.value >= 32 && $0.value != 127 }.prefix(128).map(Character.init))
    }
}

extension MetricRecord {
    /// What a request costs beside its samples, in samples.
    static let fixedCost = 16

    /// In samples, as the batcher's limits count.
    var cost: Int { samples.count + Self.fixedCost }

    /// What writing it locks, as the batcher wants to know.
    var locks: [Int64] { [OwnerOrder.number(owner, of: tenant)] }
}

extension Problem {
    fileprivate init(_ fault: MetricBatchFault) {
        self =
            switch fault {
            case .notJSON: .badRequest(code: "not_json", detail: "The body is not JSON.")
            case .tooDeep: .badRequest(code: "too_deep", detail: "The body is nested too deep.")
            case .notABatch:
                .unprocessable(code: "not_a_batch", detail: "The body must be an object with an array `metrics`.")
            case .tooManyRows:
                .unprocessable(code: "too_many_metrics", detail: "At most \(MetricBatch.maxRows) metrics in a batch.")
            case .batchIDInvalid:
                .unprocessable(
                    code: "batch_id_invalid",
                    detail: "batch_id must be a string of at most \(MetricBatch.maxBatchIDCharacters) characters.")
            case .outOfMemory: .unavailable(retryAfter: 5)
            }
    }
}
