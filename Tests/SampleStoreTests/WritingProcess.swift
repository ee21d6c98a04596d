import Logging
import NIOCore
import Postgres
import Shared
import Support

@testable import Ingest

/// An ingest process from the body of a request to the log, with caches and a batcher of its own.
struct WritingProcess: Sendable {
    private let intake: MetricIntake

    init(database: Database) {
        let writer = MetricGroupWriter(pool: database.pool, logger: .silent)
        // Small groups, so that there are many.
        let batcher = Batcher(lanes: 2, limits: .init(groupCost: 2_000, queueCost: 1_000_000)) {
            await writer.write($0)
        }
        intake = MetricIntake(
            parser: MetricBatchParser(parsers: JSONParserPool()),
            series: SeriesDirectory(
                store: SeriesStore(database: database), capacity: 10_000, patience: .seconds(30)), batcher: batcher)
    }

    /// Writes until it is cancelled.
    func run() async throws {
        try await intake.batcher.run()
    }

    func prepare(_ body: String, for credential: StoreCredential, at arrival: Timestamp) async throws -> MetricRecord {
        let (body, source) = (ByteBuffer(string: body), BatchSource(tenant: credential.tenant, owner: credential.owner))
        let batch = try intake.parse(body, for: credential.tenant, at: arrival)
        return try await intake.prepare(batch, body, from: source, at: arrival).record
    }

    func submit(_ record: MetricRecord) async throws -> MetricOutcome {
        try await intake.batcher.submit(record)
    }
}
