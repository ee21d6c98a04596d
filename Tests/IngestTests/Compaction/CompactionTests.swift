import Foundation
import Logging
import Postgres
import Shared
import Support
import Testing

@testable import Ingest

/// Compaction against a naive model: whatever was written, in whatever order and however it was compacted in between, each
/// (series, time) is there once with the value that was accepted first.
@Suite
struct CompactionTests {
    private struct Sample: RowDecodable, Hashable {
        let series: Int32
        let ts: Int64
        let value: Double

        init(series: Int32, ts: Int64, value: Double) {
            (self.series, self.ts, self.value) = (series, ts, value)
        }

        init(_ row: Row) throws {
            series = try row["series_id"]
            ts = try row["ts"]
            value = try row["value"]
        }
    }

    private static let samples: Statement<Sample> = "SELECT series_id, ts, value FROM samples ORDER BY series_id, ts"

    private func compaction(_ database: Database) -> Compaction {
        Compaction(
            database: database, interval: .zero, metrics: CompactionMetrics(MetricRegistry()),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    /// Moves all of an owner's log, whether that pays or not.
    private func compact(_ owner: Int32, _ tenant: Tenant, _ database: Database) async throws {
        while try await compaction(database).compactSome(owner, of: tenant) > 0 {}
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6])
    func aRandomHistoryEqualsTheModel(_ seed: UInt64) async throws {
        try await MigratedDatabase.withTenant { tenant, database, reader in
            var random = SplitMix(state: seed)
            var model: [Int32: [Int64: Double]] = [:]
            for _ in 0..<60 {
                switch Int.random(in: 0..<10, using: &random) {
                case 0...1:
                    try await compact(1, tenant, database)
                    continue
                case 2:
                    // Beyond the period's end, every period before counts as over.
                    let now = Timestamp(microseconds: Int64.random(in: 689...692, using: &random) * SampleChunk.period)
                    try await compaction(database).mergeOnce(now: now)
                    continue
                default: break
                }
                let run = Self.randomRun(&random)
                _ = try await database.withTenant(tenant) {
                    try await $0.run(SampleRun.append([(1, run)], of: tenant.id))
                }
                for index in 0..<run.count where model[run.series[index]]?[run.ts[index]] == nil {
                    model[run.series[index], default: [:]][run.ts[index]] = run.values[index]
                }
            }
            let expected = model.flatMap { series, values in
                values.map { Sample(series: series, ts: $0.key, value: $0.value) }
            }.sorted { ($0.series, $0.ts) < ($1.series, $1.ts) }
            #expect(try await reader.read(tenant, Self.samples) == expected)
            try await compact(1, tenant, database)
            #expect(try await reader.read(tenant, Self.samples) == expected, "all of it compacted")
            let left: [Int64] = try await reader.read(tenant, "SELECT count(*) FROM sample_log")
            #expect(left == [0])
            try await compaction(database).mergeOnce(now: Timestamp(microseconds: 2_000 * SampleChunk.period))
            #expect(try await reader.read(tenant, Self.samples) == expected, "all of it merged")
            let small: [Int64] = try await reader.read(
                tenant,
                """
                SELECT count(*) FROM (SELECT series_id, starts_at / \(SampleChunk.period) FROM sample_chunks
                                       WHERE samples < 350 GROUP BY 1, 2 HAVING count(*) > 3) crowded
                """)
            #expect(small == [0])
        }
    }

    /// A few series; times regular and not, to the millisecond and finer, close together and months apart, on both sides of a
    /// period's end, and often again.
    private static func randomRun(_ random: inout SplitMix) -> SampleRun {
        let base = Int64(690) * SampleChunk.period
        let kind = Int.random(in: 0..<5, using: &random)
        let start = base + Int64.random(in: -40...40, using: &random) * 60_000_000
        var run = SampleRun()
        for step in 0..<Int64.random(in: 1...40, using: &random) {
            let ts: Int64 =
                switch kind {
                case 0: start + step * 10_000_000
                case 1: start + step * 10_000_000 + Int64.random(in: 0..<3, using: &random) * 1_000
                case 2: start + step * 1_234_567
                case 3: base + Int64.random(in: -20...20, using: &random) * 86_400_000_000
                default: base + Int64.random(in: -3...3, using: &random)
                }
            run.append(
                series: Int32.random(in: 1...4, using: &random), ts: ts, value: Double(random.next() % 10_000) / 100)
        }
        return run
    }

    @Test func chunksHoldSevenHundredSamplesAndRegularOnesTakeOneStep() async throws {
        try await MigratedDatabase.withTenant { tenant, database, reader in
            let start = Int64(690) * SampleChunk.period
            let count = 1_500
            let run = SampleRun(
                series: [Int32](repeating: 1, count: count), ts: (0..<count).map { start + Int64($0) * 10_000_000 },
                values: (0..<count).map(Double.init))
            _ = try await database.withTenant(tenant) { try await $0.run(SampleRun.append([(1, run)], of: tenant.id)) }
            try await compact(1, tenant, database)
            let sizes: [Int32] = try await reader.read(
                tenant, "SELECT samples FROM sample_chunks ORDER BY starts_at")
            #expect(sizes == [750, 750])
            let steps: [[UInt8]] = try await reader.read(tenant, "SELECT packed_steps FROM sample_chunks")
            let expected = PackedIntegers(Array(repeating: 10_000, count: 749)).bytes
            #expect(steps.allSatisfy { $0 == expected } && expected.count == 14)
        }
    }

    /// Hours apart and to the microsecond: no step fits an int4, and the samples still share a chunk once they are merged.
    @Test func sparseSeriesEndInFewChunks() async throws {
        try await MigratedDatabase.withTenant { tenant, database, reader in
            let start = Int64(690) * SampleChunk.period
            let times = (0..<100).map { start + $0 * 3_600_000_000 + ($0 * 7_919) % 1_000_003 }
            for (index, time) in times.enumerated() {
                let run = SampleRun(series: [1], ts: [time], values: [Double(index)])
                _ = try await database.withTenant(tenant) {
                    try await $0.run(SampleRun.append([(1, run)], of: tenant.id))
                }
                try await compact(1, tenant, database)
                if index % 20 == 0 { try await compaction(database).mergeOnce(now: Timestamp(microseconds: time)) }
            }
            try await compaction(database).mergeOnce(now: Timestamp(microseconds: start))
            let chunks: [Int32] = try await reader.read(tenant, "SELECT samples FROM sample_chunks ORDER BY starts_at")
            #expect(chunks.count < 20, "\(chunks)")
            let read = try await reader.read(tenant, Self.samples)
            #expect(read.map(\.ts) == times && read.map(\.value) == times.indices.map(Double.init))
            try await compaction(database).mergeOnce(now: Timestamp(microseconds: start + SampleChunk.period))
            let whole: [Int32] = try await reader.read(tenant, "SELECT samples FROM sample_chunks")
            #expect(whole == [100])
        }
    }

    /// An owner of two series is ripe with what makes chunks large enough to stay as they are, and not with a sample less.
    @Test func aLogIsRipeWhenItsChunksNeedNoMerging() async throws {
        try await MigratedDatabase.withTenant { tenant, database, reader in
            let series: [Int32] = try await database.withTenant(tenant) {
                try await $0.all(
                    """
                    INSERT INTO series (tenant_id, owner_id, metric, identity)
                    SELECT \(tenant.id), 1, 'm', gen_random_uuid() FROM generate_series(1, 2) RETURNING id
                    """)
            }
            func append(_ times: Range<Int64>, to series: [Int32]) async throws {
                var run = SampleRun()
                for time in times { for id in series { run.append(series: id, ts: time * 1_000_000, value: 1) } }
                _ = try await database.withTenant(tenant) { [run] in
                    try await $0.run(SampleRun.append([(1, run)], of: tenant.id))
                }
            }
            let compaction = compaction(database)
            try await append(0..<349, to: series)
            try await append(349..<350, to: [series[0]])
            #expect(try await compaction.compactOnce() == 0)
            try await append(349..<350, to: [series[1]])
            #expect(try await compaction.compactOnce() == 1)
            #expect(try await compaction.mergeOnce() == 0)
            let sizes: [Int32] = try await reader.read(tenant, "SELECT samples FROM sample_chunks")
            #expect(sizes == [350, 350])
        }
    }

    /// A log that is too much for one statement goes in several, and one owner's trouble does not hold up the others.
    @Test func aLargeLogGoesInPieces() async throws {
        try await MigratedDatabase.withTenant { tenant, database, reader in
            for number in 0..<6 {
                let run = SampleRun(
                    series: [Int32](repeating: 1, count: 10), ts: (0..<10).map { Int64(number * 10 + $0) * 1_000_000 },
                    values: [Double](repeating: 1, count: 10))
                _ = try await database.withTenant(tenant) {
                    try await $0.run(SampleRun.append([(1, run)], of: tenant.id))
                }
            }
            var pieces: [Int] = []
            repeat {
                pieces.append(try await compaction(database).compactSome(1, of: tenant, samples: 25))
            } while pieces.last != 0
            #expect(pieces == [3, 3, 0])
            #expect(try await reader.read(tenant, Self.count) == [60])
        }
    }

    /// The lock is per tenant, tried and never waited for.
    @Test func aTenantThatIsBeingCompactedIsPassedOver() async throws {
        try await MigratedDatabase.withTenant { tenant, database, _ in
            let run = SampleRun(series: [1], ts: [1], values: [1])
            _ = try await database.withTenant(tenant) { try await $0.run(SampleRun.append([(1, run)], of: tenant.id)) }
            _ = try await database.withTenant(tenant) { holder in
                let locked: Bool? = try await holder.first(
                    "SELECT pg_try_advisory_xact_lock(\(Compaction.lockClass), \(tenant.id))")
                #expect(locked == true)
                #expect(try await compaction(database).compactSome(1, of: tenant) == 0)
                return true
            }
            #expect(try await compaction(database).compactSome(1, of: tenant) == 1)
        }
    }

    /// Readers in one statement, compaction and writers all at once: never one sample less than was committed, never one twice.
    @Test func readersNeverMissOrDoubleASample() async throws {
        try await MigratedDatabase.withTenant { tenant, database, reader in
            let perRun = 50
            let runs = 60
            let (written, signal) = AsyncStream.makeStream(of: Int64.self)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for number in 0..<runs {
                        let run = SampleRun(
                            series: [Int32](repeating: 1, count: perRun),
                            ts: (0..<perRun).map { Int64(number * perRun + $0) * 1_000 },
                            values: [Double](repeating: 1, count: perRun))
                        _ = try await database.withTenant(tenant) {
                            try await $0.run(SampleRun.append([(1, run)], of: tenant.id))
                        }
                        signal.yield(Int64((number + 1) * perRun))
                    }
                    signal.finish()
                }
                group.addTask {
                    while try await reader.read(tenant, Self.count).first != Int64(runs * perRun) {
                        try await compact(1, tenant, database)
                    }
                }
                group.addTask {
                    for await committed in written {
                        let counts: [Int64] = try await reader.read(
                            tenant,
                            """
                            SELECT unnest(ARRAY[count(*), count(DISTINCT (series_id, ts))])
                              FROM (SELECT c.series_id, s.ts FROM sample_chunks c,
                                           chunk_samples(c) s
                                    UNION ALL
                                    SELECT s.series_id, s.ts FROM sample_log l, unnest(l.series, l.ts) AS s (series_id, ts)) x
                            """)
                        #expect(counts[0] == counts[1], "none is in both")
                        #expect(counts[0] >= committed, "none is in neither")
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    private static let count: Statement<Int64> = "SELECT count(*) FROM samples"
}
