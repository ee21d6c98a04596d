import Foundation
import Postgres

extension Suite {
    /// (b) The same while compaction condenses what comes in, for twice as long. It keeps pace if the log does not grow.
    func compactedBatches() async throws -> [Row] {
        var rows: [Row] = []
        for samples in [100, 500] {
            let shape = SampleShape.regular(samplesEach: samples, daysAgo: 25)
            let laboratory = try await Laboratory.open(memory)
            var plan = plan(laboratory.ingestPort, expecting: "\"stored\":\(samples)")
            plan.seconds = max(20, seconds * 2)
            let (ours, log) = try await laboratory.withIngest(compaction: .normal) { [plan] in
                async let watched = SampleLog.watch(laboratory, for: plan.warmUp + plan.seconds)
                let report = try await LoadGenerator(laboratory.batches(shape)).run(plan)
                return (report, try await watched)
            }
            rows += Self.compare(
                ours, try await sendBatchesToPeers(shape), shape, ", compacting", note: SampleLog.summary(log))
            try await laboratory.close()
        }
        return rows
    }
}

/// What lies in the sample log at one moment.
struct SampleLog: RowDecodable, Sendable {
    let rows: Int64
    /// On the disk, with what deleted rows leave until they are vacuumed.
    let bytes: Int64
    let samples: Int64

    init(_ row: Postgres.Row) throws {
        rows = try row["rows"]
        bytes = try row["bytes"]
        samples = try row["samples"]
    }

    static func read(_ connection: PostgresConnection) async throws -> SampleLog {
        let now: SampleLog? = try await connection.first(
            """
            SELECT count(*) AS rows, pg_total_relation_size('sample_log') AS bytes,
                   coalesce(sum(cardinality(ts)), 0)::bigint AS samples
              FROM sample_log
            """)
        guard let now else { throw BenchFailure(description: "sample_log answered nothing") }
        return now
    }

    /// Reads at five moments, the last of them at the end.
    static func watch(_ laboratory: Laboratory, for seconds: Double) async throws -> [SampleLog] {
        try await laboratory.withConnection { connection in
            var moments: [SampleLog] = []
            for _ in 0..<5 {
                try await Task.sleep(for: .seconds(seconds / 5))
                moments.append(try await read(connection))
            }
            return moments
        }
    }

    static func summary(_ moments: [SampleLog]) -> String {
        let sizes = moments.map { "\(Figure.short(Double($0.rows))) rows \(Figure.mebibytes(Int($0.bytes)))" }
        let left = Figure.short(Double(moments.last?.samples ?? 0))
        return "log at five moments: \(sizes.joined(separator: "; ")). \(left) samples uncompacted at the end"
    }
}
