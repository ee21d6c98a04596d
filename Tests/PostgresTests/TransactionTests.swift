import Postgres
import Testing

@Suite struct TransactionTests {
    let tenant = [Setting(name: "app.tenant_id", value: "7")]
    let current: Statement<String> = "SELECT coalesce(nullif(current_setting('app.tenant_id', true), ''), 'none')"

    @Test func settingsHoldWithinAndNotBeyond() async throws {
        try await withPool(maxConnections: 1) { pool in
            let inside = try await pool.transaction(settings: tenant) { tx in
                let first = try await tx.first(current)
                try await tx.set([Setting(name: "app.tenant_id", value: "8"), Setting(name: "app.other", value: "x")])
                return [first, try await tx.first(current)]
            }
            #expect(inside == ["7", "8"])
            #expect(try await pool.single(current, settings: tenant) == ["7"])
            #expect(try await pool.withConnection { try await $0.all(current) } == ["none"])
        }
    }

    @Test func committedWhenTheBodyReturnsAndNotWhenItThrows() async throws {
        try await withPool(maxConnections: 1) { pool in
            try await pool.single("CREATE TABLE t (id int4)" as Command)
            try await pool.transaction { try await $0.run("INSERT INTO t VALUES (1)") }
            await #expect(throws: NeverHappened.self) {
                try await pool.transaction { tx in
                    try await tx.run("INSERT INTO t VALUES (2)")
                    throw NeverHappened()
                }
            }
            #expect(try await pool.single("SELECT id FROM t" as Statement<Int32>) == [1])
        }
    }

    @Test func anErrorSwallowedByTheBodyIsNoCommit() async throws {
        try await withPool { pool in
            let error = await postgresError {
                try await pool.transaction { tx in
                    _ = await postgresError { try await tx.run("SELECT 1/0") }
                }
            }
            #expect(error?.sqlState == "25P02")
        }
    }

    @Test func isolationAndReadOnlyReachTheServer() async throws {
        try await withPool { pool in
            let options = TransactionOptions(isolation: .serializable, readOnly: true)
            let level = try await pool.transaction(options) { tx in
                try await tx.first("SHOW transaction_isolation" as Statement<String>)
            }
            #expect(level == "serializable")
            let error = await postgresError {
                try await pool.single("CREATE TABLE t (id int4)" as Command, readOnly: true)
            }
            #expect(error?.sqlState == "25006")
        }
    }

    /// A whole group in one pipeline: an error undoes all of it and names the statement of the caller's.
    @Test func aPipelinedTransactionIsAllOrNothing() async throws {
        try await withPool(maxConnections: 1) { pool in
            try await pool.single("CREATE TABLE t (id int4 PRIMARY KEY, tenant text)" as Command)
            func insert(_ id: Int32) -> AnyStatement {
                Command("INSERT INTO t VALUES (\(id), current_setting('app.tenant_id'))").erased
            }
            let other = Setting.apply([Setting(name: "app.tenant_id", value: "9")])
            let results = try await pool.transaction(pipeline: [insert(1), other, insert(2)], settings: tenant)
            #expect(results.map(\.affectedRows) == [1, 1, 1])
            #expect(try await pool.single("SELECT tenant FROM t ORDER BY id" as Statement<String>) == ["7", "9"])
            do {
                _ = try await pool.transaction(pipeline: [insert(3), insert(1), insert(4)], settings: tenant)
                Issue.record("nothing thrown")
            } catch let error as PipelineError {
                #expect((error.index, error.underlying.sqlState) == (1, "23505"))
            }
            #expect(try await pool.single("SELECT count(*) FROM t" as Statement<Int>) == [2])
            #expect(pool.statistics().open == 1)
        }
    }

    @Test func deferredConstraintsFailAtCommit() async throws {
        try await withPool { pool in
            try await pool.single(
                "CREATE TABLE t (id int4 CONSTRAINT once UNIQUE DEFERRABLE INITIALLY DEFERRED)" as Command)
            let late = await postgresError { try await pool.single("INSERT INTO t VALUES (1), (1)" as Command) }
            #expect((late?.sqlState, late?.constraint) == ("23505", "once"))
            let body = await postgresError {
                try await pool.transaction { try await $0.run("INSERT INTO t VALUES (1), (1)") }
            }
            #expect((body?.sqlState, body?.commitUnknown) == ("23505", false))
        }
    }

    /// Two serializable transactions that read what the other writes: one has to run again, and both succeed.
    @Test func serializationFailuresRunAgain() async throws {
        try await withPool(maxConnections: 2) { pool in
            try await pool.single("CREATE TABLE dots (color text)" as Command)
            try await pool.single("INSERT INTO dots VALUES ('black'), ('white')" as Command)
            let runs = Noted(0)
            let meeting = Rendezvous()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (from, to) in [("black", "white"), ("white", "black")] {
                    group.addTask {
                        let mine = Noted(0)
                        try await pool.transaction(TransactionOptions(isolation: .serializable)) { tx in
                            runs.change { $0 += 1 }
                            try await tx.run("UPDATE dots SET color = \(to) WHERE color = \(from)")
                            mine.change { $0 += 1 }
                            if mine.value == 1 { await meeting.arrive() }
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(runs.value >= 3)
            let colors = try await pool.single("SELECT DISTINCT color FROM dots" as Statement<String>)
            #expect(colors.count == 1)
        }
    }

    @Test func attemptsAreCounted() async throws {
        try await withPool { pool in
            let runs = Noted(0)
            let error = await postgresError {
                try await pool.transaction(TransactionOptions(attempts: 2)) { tx in
                    runs.change { $0 += 1 }
                    try await tx.run("DO $$ BEGIN RAISE EXCEPTION SQLSTATE '40001'; END $$")
                }
            }
            #expect(error?.sqlState == "40001")
            #expect(runs.value == 2)
        }
    }

    @Test func aTransactionThatRunsNothingSendsNothing() async throws {
        try await withPool { pool in
            let value = try await pool.transaction { _ in 5 }
            #expect(value == 5)
        }
    }

    @Test func aTransactionIsDeadAfterItsEnd() async throws {
        try await withPool { pool in
            let escaped = try await pool.transaction { $0 }
            let error = await postgresError { try await escaped.run("SELECT 1") }
            #expect(error?.kind == .protocolViolation)
        }
    }

    @Test func severalTasksMayShareATransaction() async throws {
        try await withPool { pool in
            let all = try await pool.transaction(settings: tenant) { tx in
                async let one = tx.first(current)
                async let two = tx.first(current)
                return [try await one, try await two]
            }
            #expect(all == ["7", "7"])
        }
    }

    /// A table that changed under a prepared statement is no failure of the caller's.
    @Test func stalePlansAreRetriedInTransactionsToo() async throws {
        try await withPool(maxConnections: 1) { pool in
            try await pool.single("CREATE TABLE t AS SELECT 1 AS a" as Command)
            let statement: Statement<Columns<Int32>> = "SELECT * FROM t"
            #expect(try await pool.single(statement)[0].values == 1)
            try await pool.single("ALTER TABLE t ADD COLUMN b text" as Command)
            #expect(try await pool.single(statement)[0].values == 1)
            try await pool.single("ALTER TABLE t ADD COLUMN c text" as Command)
            #expect(try await pool.transaction { try await $0.first(statement) }?.values == 1)
        }
    }
}

/// Two tasks wait here for each other.
actor Rendezvous {
    private var waiting: CheckedContinuation<Void, Never>?

    func arrive() async {
        if let other = waiting {
            waiting = nil
            other.resume()
        } else {
            await withCheckedContinuation { waiting = $0 }
        }
    }
}
