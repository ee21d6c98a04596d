import Postgres
import Testing

@Suite struct PipelineTests {
    @Test func eachStatementHasItsResult() async throws {
        try await withConnection { connection in
            try await connection.run("CREATE TEMP TABLE t (id int4 PRIMARY KEY)")
            let results = try await connection.pipeline([
                Command("INSERT INTO t VALUES (1), (2)").erased,
                Command("INSERT INTO t VALUES (2) ON CONFLICT DO NOTHING").erased,
                Command("SELECT id FROM t ORDER BY id").erased,
                Command("").erased,
            ])
            #expect(results.map(\.affectedRows) == [2, 0, 2, 0])
            #expect(try results[2].rows(as: Int32.self) == [1, 2])
            #expect(results[0].commandTag == "INSERT 0 2")
        }
    }

    @Test func theFirstFailureIsNamedAndNothingIsKept() async throws {
        try await withConnection { connection in
            try await connection.run("CREATE TEMP TABLE t (id int4 CONSTRAINT small CHECK (id < 100))")
            let inserts = [1, 2, 300, 400, 5].map { Command("INSERT INTO t VALUES (\(Int32($0)))").erased }
            do {
                _ = try await connection.pipeline(inserts)
                Issue.record("nothing thrown")
            } catch let error as PipelineError {
                #expect(error.index == 2)
                #expect(error.underlying.sqlState == "23514")
                #expect(error.underlying.constraint == "small")
                #expect(error.underlying.table == "t")
            }
            #expect(try await connection.first("SELECT count(*) FROM t" as Statement<Int>) == 0)
        }
    }

    @Test func aFailedPreparationIsNamedAndForgotten() async throws {
        try await withConnection { connection in
            let (good, bad) = (Command("SELECT 1").erased, Command("SELECT * FROM later").erased)
            do {
                _ = try await connection.pipeline([good, bad, good])
                Issue.record("nothing thrown")
            } catch let error as PipelineError {
                #expect(error.index == 1)
                #expect(error.underlying.sqlState == "42P01")
            }
            try await connection.run("CREATE TEMP TABLE later (id int4)")
            // Inside a transaction a statement that only seems prepared could not be healed by a second try.
            try await connection.run("BEGIN")
            let results = try await connection.pipeline([bad, good])
            #expect(results.count == 2)
        }
    }

    /// Both directions carry more than all buffers between us and the server hold.
    @Test func hugePipelinesNeitherBlockNorMixUp() async throws {
        try await withConnection { connection in
            let payload = String(repeating: "x", count: 4_000)
            let statements = (0..<10_000).map {
                Statement<String>("SELECT \("\($0):") || \(payload) || \(payload)").erased
            }
            let results = try await connection.pipeline(statements)
            #expect(results.count == 10_000)
            for index in stride(from: 0, to: 10_000, by: 997) {
                #expect(try results[index].rows(as: String.self) == ["\(index):" + payload + payload])
            }
        }
    }

    @Test func aFailureDeepInAHugePipelineLeavesTheConnectionUsable() async throws {
        try await withConnection { connection in
            let payload = [UInt8](repeating: 7, count: 20_000)
            let statements = (0..<5_000).map {
                Command("SELECT 1 / (\(Int32($0)) - 2500), length(\(payload))").erased
            }
            do {
                _ = try await connection.pipeline(statements)
                Issue.record("nothing thrown")
            } catch let error as PipelineError {
                #expect(error.index == 2_500)
                #expect(error.underlying.sqlState == "22012")
            }
            #expect(try await connection.first("SELECT 5" as Statement<Int32>) == 5)
        }
    }

    @Test func evictedStatementsAreDeallocated() async throws {
        try await withConnection(cacheSize: 4) { connection in
            // One pipeline with more distinct statements than the cache holds: parameter counts make them distinct.
            let distinct = (1...20).map { count -> AnyStatement in
                let values = (0..<count).map { value -> Fragment in "\(Int32(value))" }
                return Command("SELECT ARRAY[\(values.joined(separator: ","))]").erased
            }
            for _ in 0..<3 {
                let results = try await connection.pipeline(distinct)
                #expect(try results.map { try $0.rows(as: [Int32].self)[0].count } == Array(1...20))
            }
            let held: Statement<Int> = "SELECT count(*) FROM pg_prepared_statements"
            _ = try await connection.first(held)
            let count = try #require(try await connection.first(held))
            #expect(count <= 4)
        }
    }

    @Test func statementsArePreparedOnce() async throws {
        try await withConnection { connection in
            let statement: Statement<Int> =
                "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%\("x")%'"
            for _ in 0..<10 { _ = await postgresError { try await connection.first(statement) } }
            for _ in 0..<10 { try await connection.run("SELECT 1") }
            let held: Statement<Int> = "SELECT count(*) FROM pg_prepared_statements WHERE statement = 'SELECT 1'"
            #expect(try await connection.first(held) == 1)
        }
    }

    /// "cached plan must not change result type", and a plan that somebody deallocated.
    @Test func stalePlansArePreparedAnew() async throws {
        try await withConnection { connection in
            try await connection.run("CREATE TEMP TABLE t AS SELECT 1 AS a")
            let statement: Statement<Columns<Int32>> = "SELECT * FROM t"
            #expect(try await connection.first(statement)?.values == 1)
            try await connection.run("ALTER TABLE t ADD COLUMN b text")
            #expect(try await connection.first(statement)?.values == 1)
            try await connection.execute(script: "DEALLOCATE ALL")
            #expect(try await connection.first(statement)?.values == 1)
        }
    }

    @Test func manyParameters() async throws {
        try await withConnection { connection in
            let values = (0..<20_000).map { value -> Fragment in "(\(Int32(value)),\(value % 2 == 0 ? nil : "odd"))" }
            let all = values.joined(separator: ",")
            let counts: Statement<Columns<Int, Int>> = "SELECT count(a), count(b) FROM (VALUES \(all)) AS v (a, b)"
            let found = try #require(try await connection.first(counts))
            #expect(found.values == (20_000, 10_000))
            let tooMany = (0..<70_000).map { value -> Fragment in "\(Int32(value))" }
            let error = await postgresError {
                try await connection.run("SELECT ARRAY[\(tooMany.joined(separator: ","))]")
            }
            #expect(error?.kind == .protocolViolation)
            #expect(connection.isUsable)
        }
    }

    @Test func callsOfManyTasksAreServedOneByOne() async throws {
        try await withConnection { connection in
            let sum = try await withThrowingTaskGroup(of: Int32.self) { group in
                for number in 1...100 {
                    group.addTask { try await connection.first("SELECT \(Int32(number))" as Statement<Int32>) ?? 0 }
                }
                return try await group.reduce(0, +)
            }
            #expect(sum == 5_050)
        }
    }
}
