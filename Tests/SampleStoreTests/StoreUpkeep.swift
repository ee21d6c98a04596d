import Logging
import Postgres
import Shared
import Support

@testable import Ingest

/// The one place that knows how compaction is driven: as one process does it, a pass at a time.
struct StoreUpkeep: Sendable {
    private let compaction: Compaction
    private let metrics: CompactionMetrics

    init(database: Database) {
        metrics = CompactionMetrics(MetricRegistry())
        compaction = Compaction(database: database, interval: .zero, metrics: metrics, logger: .silent)
    }

    /// Owners that a pass met with an error: ended connections are no news, at rest there must be none.
    var failures: Int { metrics.failures.value }

    /// - Returns: how many owners' logs were moved.
    func passOnce() async throws -> Int {
        let owners = try await compaction.compactOnce()
        try await compaction.mergeOnce()
        return owners
    }

    /// Makes every request in the log old enough to be moved, however few there are.
    static let agesTheLog: Command = "UPDATE sample_log SET received_at = now() - interval '1 day'"
}
