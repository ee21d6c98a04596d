import Postgres
import Testing

@Suite struct CopyTests {
    @Test func rowsGoInAndComeOut() async throws {
        try await withConnection { connection in
            try await connection.run("CREATE TEMP TABLE t (id int4, name text, v float8[])")
            let count = try await connection.copyIn("t (id, name, v)") { writer in
                for id in 0..<50_000 {
                    try writer.row(Int32(id), id % 3 == 0 ? nil : "n\(id)", [Double(id), 0.5])
                }
            }
            #expect(count == 50_000)
            let collected = Noted<[(Int32, String?, [Double])]>([])
            let out = try await connection.copyOut("(SELECT id, name, v FROM t ORDER BY id)") { row in
                let values: (Int32, String?, [Double]) = (try row[0], try row[1], try row[2])
                collected.change { $0.append(values) }
            }
            #expect(out == 50_000)
            let rows = collected.value
            #expect(rows.count == 50_000)
            #expect(rows.enumerated().allSatisfy { $1.0 == $0 && $1.1 == ($0 % 3 == 0 ? nil : "n\($0)") })
            #expect(rows[7].2 == [7, 0.5])
            let sum = try await connection.first("SELECT sum(id) FROM t" as Statement<Int>)
            #expect(sum == 1_249_975_000)
        }
    }

    @Test func emptyTablesHaveNoRows() async throws {
        try await withConnection { connection in
            try await connection.run("CREATE TEMP TABLE t (id int4)")
            let copiedIn = try await connection.copyIn("t") { _ in }
            let copiedOut = try await connection.copyOut("t") { _ in Issue.record("a row of nothing") }
            #expect((copiedIn, copiedOut) == (0, 0))
        }
    }

    @Test func aThrowingBodyCopiesNothing() async throws {
        try await withConnection { connection in
            try await connection.run("CREATE TEMP TABLE t (id int4)")
            await #expect(throws: NeverHappened.self) {
                try await connection.copyIn("t") { writer in
                    for id in 0..<100_000 { try writer.row(Int32(id)) }
                    throw NeverHappened()
                }
            }
            let count = try await connection.first("SELECT count(*) FROM t" as Statement<Int>)
            #expect(count == 0)
        }
    }

    @Test func theServersRefusalIsTold() async throws {
        try await withConnection { connection in
            try await connection.run("CREATE TEMP TABLE t (id int4 CONSTRAINT t_key PRIMARY KEY)")
            let error = await postgresError {
                try await connection.copyIn("t") { writer in
                    for id in 0..<100_000 { try writer.row(Int32(id % 50_000)) }
                }
            }
            #expect((error?.sqlState, error?.constraint) == ("23505", "t_key"))
            let missing = await postgresError { try await connection.copyIn("nowhere") { _ in } }
            #expect(missing?.sqlState == "42P01")
            let count = try await connection.first("SELECT count(*) FROM t" as Statement<Int>)
            #expect(count == 0)
        }
    }

    @Test func aReaderThatThrowsCostsTheConnection() async throws {
        try await withConnection { connection in
            await #expect(throws: NeverHappened.self) {
                try await connection.copyOut("(SELECT generate_series(1, 1000000))") { _ in throw NeverHappened() }
            }
            #expect(!connection.isUsable)
        }
    }

    @Test func copyInsideATransactionIsRolledBackWithIt() async throws {
        try await withPool { pool in
            try await pool.single("CREATE TABLE t (id int4, who text DEFAULT current_setting('app.who'))" as Command)
            await #expect(throws: NeverHappened.self) {
                try await pool.transaction(settings: [Setting(name: "app.who", value: "me")]) { tx in
                    try await tx.copyIn("t (id)") { try $0.row(Int32(1)) }
                    #expect(try await tx.all("SELECT who FROM t" as Statement<String>) == ["me"])
                    throw NeverHappened()
                }
            }
            #expect(try await pool.single("SELECT count(*) FROM t" as Statement<Int>) == [0])
        }
    }

    @Test func aFailingScriptTellsAndKeepsNothing() async throws {
        try await withConnection { connection in
            let error = await postgresError {
                try await connection.execute(script: "CREATE TEMP TABLE t (id int4); SELECT 1/0; SELECT 2")
            }
            #expect(error?.sqlState == "22012")
            let exists = try await connection.first("SELECT to_regclass('pg_temp.t') IS NOT NULL" as Statement<Bool>)
            #expect(exists == false)
        }
    }
}
