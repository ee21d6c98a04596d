import Logging
import NIOCore
import Postgres
import Shared
import Support

@testable import Ingest

/// An ingest process from the body of a request to the log, with caches and a batcher of its own.
struct WritingProcess: Sendable {
    private let route: MetricBatchRoute

    init(database: Database) {
        let writer = MetricGroupWriter(pool: database.pool, logger: .silent)
        // Small groups, so that there are many.
        let batcher = Batcher(
            lanes: 2, limits: .init(groupCost: 2_000, queueCost: 1_000_000),
            locks: \.locks
        ) { await writer.write($0) }
        route = MetricBatchRoute(
            keys: StoreKeyDirectory(database: database), rates: RateLimiter(),
            parser: MetricBatchParser(parsers: JSONParserPool()),
            series: SeriesDirectory(store: SeriesStore(database: database), capacity: 10_000), batcher: batcher,
            activity: Activity(database: database, logger: .silent), bodies: BodyBudget(limit: 1 << 30),
            metrics: IngestMetrics(MetricRegistry()))
    }

    /// Writes until it is cancelled.
    func run() async throws {
        try await route.batcher.run()
    }

    func prepare(_ body: String, for credential: StoreCredential, at arrival: Timestamp) async throws -> MetricRecord {
        try await route.prepare(ByteBuffer(string: body), for: credential, at: arrival).record
    }

    func submit(_ record: MetricRecord) async throws -> MetricOutcome {
        try await route.batcher.submit(record, cost: record.cost)
    }
}
