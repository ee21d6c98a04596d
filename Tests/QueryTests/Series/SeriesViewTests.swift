import Postgres
import Shared
import Support
import Testing

@testable import Query

/// What Swift makes of log and chunks equals, sample by sample, what the SQL view makes of them.
@Suite struct SeriesViewTests {
    private struct ViewRow: RowDecodable {
        let series: Int32
        let ts: Int64
        let value: Double

        init(_ row: Row) throws {
            series = try row["series_id"]
            ts = try row["ts"]
            value = try row["value"]
        }
    }

    @Test func equalsTheView() async throws {
        try await TwoTenants.withDatabase { database in
            try await Self.fill(database, seed: 7)
            try await database.withPool(as: .query) { pool in
                let tenant = try #require(try await pool.lookUp(Tenant.bySlug("north")).first)
                let scope = TenantScope(tenant.id)
                var filter = SeriesFilter()
                filter.metrics = [.name("random")]
                for span in [-40_000..<80_000, 0..<1, -1_000..<7_000, 90_000..<100_000] as [Range<Int64>] {
                    let rows = try await pool.read(scope, filter.reading(span, in: scope, ReadingBudget()))
                    let reading = SeriesReading(rows, within: span)
                    #expect(reading.series.count == 20)
                    let view: [ViewRow] = try await pool.read(
                        scope,
                        """
                        SELECT series_id, ts, value FROM samples
                         WHERE tenant_id = \(tenant.id) AND ts >= \(span.lowerBound) AND ts < \(span.upperBound)
                         ORDER BY series_id, ts
                        """)
                    for series in reading.series {
                        let expected = view.filter { $0.series == series.id }
                        let samples = reading.samples(of: series)
                        #expect(samples.times == expected.map(\.ts))
                        #expect(samples.values.map(\.bitPattern) == expected.map(\.value.bitPattern))
                    }
                }
            }
        }
    }

    /// As functions of their own they would be called for each sample, which takes five times as long.
    @Test func theViewUnpacksWithinTheQuery() async throws {
        try await TwoTenants.withDatabase { database in
            let plan: [String] = try await database.asSuperuser {
                try await $0.all(
                    "EXPLAIN (VERBOSE) SELECT ts, value FROM samples WHERE tenant_id = 1 AND series_id = 1")
            }
            #expect(plan.contains { $0.contains("get_byte") })
            #expect(!plan.contains { $0.contains("packed_number(") || $0.contains("packed_integer(") })
        }
    }

    @Test(
        arguments: [
            "samples = samples + 1", "packed_values = '\\x0000'::bytea || int4send(999) || int8send(1)",
            "packed_steps = '\\x0000'::bytea || int4send(999) || int8send(1)", "value = '{1}'", "packed_values = NULL",
        ] as [Fragment])
    func aChunkThatContradictsItselfIsRefused(change: Fragment) async throws {
        try await TwoTenants.withDatabase { database in
            try await Self.fill(database, seed: 3)
            try await database.asSuperuser { connection in
                await #expect(throws: PostgresError.self) {
                    try await connection.run(
                        "UPDATE sample_chunks SET \(change) WHERE packed_values IS NOT NULL")
                }
            }
        }
    }

    /// - Parameter form: arrays of older chunks, single steps or pairs, or packed; for values likewise.
    private static func insert(_ chunk: StoredSamples.Chunk, _ series: Int32, form: Int) throws -> Command {
        let packed = try chunk.packed()
        let pairs = chunk.steps.flatMap { [$0 >> 31, $0] }
        let steps = form == 0 ? chunk.steps : form == 1 && chunk.samples.count > 2 ? pairs : nil
        let packedValues = form == 3 ? packed.packedValues : nil
        return """
            INSERT INTO sample_chunks (tenant_id, series_id, starts_at, ends_at, unit, samples, steps, packed_steps, value,
                                       packed_values)
            SELECT id, \(series), \(packed.startsAt), \(packed.endsAt), \(packed.unit), \(Int32(packed.values.count)),
                   \(steps), \(steps == nil ? packed.packedSteps : nil),
                   \(packedValues == nil ? packed.values : nil), \(packedValues)
              FROM tenants WHERE slug = 'north'
            """
    }

    /// Twenty series of one store; rows of the log hold several of them, mixed.
    private static func fill(_ database: MigratedDatabase, seed: UInt64) async throws {
        var random = SplitMix(state: seed)
        let stored = (0..<20).map { _ in StoredSamples.random(&random) }
        var logged = stored.enumerated().flatMap { index, one in one.log.map { (Int32(1_000 + index), $0) } }
        logged.shuffle(using: &random)
        var commands: [Command] = []
        for (index, one) in stored.enumerated() {
            commands.append(
                """
                INSERT INTO series (tenant_id, id, owner_id, metric, identity) OVERRIDING SYSTEM VALUE
                SELECT id, \(Int32(1_000 + index)), 101, 'random', gen_random_uuid() FROM tenants WHERE slug = 'north'
                """)
            for chunk in one.chunks {
                commands.append(try insert(chunk, Int32(1_000 + index), form: Int.random(in: 0..<4, using: &random)))
            }
        }
        for start in stride(from: 0, to: logged.count, by: 13) {
            let part = logged[start..<min(start + 13, logged.count)]
            commands.append(
                """
                INSERT INTO sample_log (tenant_id, owner_id, series, ts, value)
                SELECT id, 101, \(part.map(\.0)), \(part.map(\.1.ts)), \(part.map(\.1.value))
                  FROM tenants WHERE slug = 'north'
                """)
        }
        let all = commands.map(\.erased)
        try await database.asSuperuser { connection in
            _ = try await connection.pipeline(all)
        }
    }
}
