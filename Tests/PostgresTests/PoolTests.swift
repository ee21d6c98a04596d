import Postgres
import Support
import Testing

@Suite struct PoolTests {
    @Test func callersAreServedInOrder() async throws {
        try await withPool(maxConnections: 1) { pool in
            let order = Noted<[Int]>([])
            let callers = try await pool.withConnection { _ in
                var callers: [Task<Void, any Error>] = []
                for number in 0..<20 {
                    callers.append(Task { try await pool.withConnection { _ in order.change { $0.append(number) } } })
                    try await until { pool.statistics().waiting == number + 1 }
                }
                return callers
            }
            for caller in callers { try await caller.value }
            #expect(order.value == Array(0..<20))
            let statistics = pool.statistics()
            #expect((statistics.open, statistics.idle, statistics.inUse, statistics.waiting) == (1, 1, 0, 0))
        }
    }

    @Test func neverMoreConnectionsThanAllowed() async throws {
        try await withPool(maxConnections: 3) { pool in
            try await withThrowingTaskGroup(of: Int32.self) { group in
                for _ in 0..<200 { group.addTask { try await pool.withConnection { $0.backendID } } }
                let backends = try await group.reduce(into: Set<Int32>()) { $0.insert($1) }
                #expect((1...3).contains(backends.count))
            }
            #expect(pool.statistics().open <= 3)
        }
    }

    @Test func waitingEndsWithTheTimeout() async throws {
        try await withPool(maxConnections: 1, configure: { $0.acquireTimeout = .milliseconds(50) }) { pool in
            try await until { await pool.ping() }
            try await pool.withConnection { _ in
                let error = await postgresError { try await pool.withConnection { $0.backendID } }
                #expect(error?.kind == .poolExhausted)
            }
            #expect(await pool.ping())
        }
    }

    @Test func tooManyWaitersAreRefusedAtOnce() async throws {
        try await withPool(maxConnections: 1, configure: { $0.maxWaiters = 1 }) { pool in
            let waiting = try await pool.withConnection { _ in
                let waiting = Task { try await pool.withConnection { $0.backendID } }
                try await until { pool.statistics().waiting == 1 }
                let error = await postgresError { try await pool.withConnection { $0.backendID } }
                #expect(error?.kind == .poolExhausted)
                return waiting
            }
            _ = try await waiting.value
        }
    }

    @Test func aCancelledCallerLeavesTheQueue() async throws {
        try await withPool(maxConnections: 1) { pool in
            try await pool.withConnection { _ in
                let waiting = Task { try await pool.withConnection { $0.backendID } }
                try await until { pool.statistics().waiting == 1 }
                waiting.cancel()
                await #expect(throws: CancellationError.self) { try await waiting.value }
                #expect(pool.statistics().waiting == 0)
            }
        }
    }

    @Test func killedBackendsAreReplaced() async throws {
        try await withPool(maxConnections: 2) { pool in
            let first = try await pool.withConnection { $0.backendID }
            try await withConnection { other in
                _ = try await other.all("SELECT pg_terminate_backend(\(first))" as Statement<Bool>)
            }
            // Whether or not the pool has noticed by now, its callers don't.
            let second = try await pool.transaction {
                try await $0.first("SELECT pg_backend_pid()" as Statement<Int32>)
            }
            #expect(second != nil && second != first)
        }
    }

    @Test func aTransactionLeftOpenCostsTheConnection() async throws {
        try await withPool(maxConnections: 1) { pool in
            let first = try await pool.withConnection { connection in
                try await connection.run("BEGIN")
                return connection.backendID
            }
            #expect(try await pool.withConnection { $0.backendID } != first)
        }
    }

    @Test func anAbsentDatabaseIsToldAsSuch() async throws {
        let configuration = ConnectionConfiguration(url: "postgresql://nobody@127.0.0.1:1/none")
        let pool = PostgresPool(PoolConfiguration(connection: configuration, acquireTimeout: .milliseconds(100)))
        // The first time-out may come before the first refusal is known.
        try await until {
            await postgresError { try await pool.single("SELECT 1" as Statement<Int32>) }?.kind == .connectFailed
        }
        #expect(await pool.ping() == false)
        await pool.close()
    }

    @Test func idleConnectionsAreTriedOutBeforeUse() async throws {
        try await withProxy { proxy, url in
            var connection = ConnectionConfiguration(url: url, statementTimeout: .seconds(1))
            connection.grace = .milliseconds(100)
            let configuration = PoolConfiguration(
                connection: connection, acquireTimeout: .seconds(2), healthCheckAfterIdle: .zero)
            let pool = PostgresPool(configuration)
            try await until { await pool.ping() }
            proxy.hold()
            let body = Noted(false)
            _ = await postgresError { try await pool.withConnection { _ in body.change { $0 = true } } }
            #expect(body.value == false, "lent a connection that doesn't answer")
            proxy.cut()
            await pool.close()
        }
    }

    @Test func unusedConnectionsAreClosed() async throws {
        try await withPool(configure: { $0.idleTimeout = .milliseconds(20) }) { pool in
            #expect(await pool.ping())
            try await until { pool.statistics().open == 0 }
            #expect(await pool.ping())
        }
    }

    @Test func closingWaitsForWhoIsStillAtWork() async throws {
        let pool = PostgresPool(PoolConfiguration(connection: ConnectionConfiguration(url: try TestPostgres.url())))
        let (gate, open) = AsyncStream<Void>.makeStream()
        let isDone = Noted(false)
        let work = Task {
            try await pool.withConnection { connection in
                for await _ in gate {}
                try await connection.run("SELECT 1")
                isDone.change { $0 = true }
            }
        }
        try await until { pool.statistics().inUse == 1 }
        let closing = Task {
            await pool.close()
            return isDone.value
        }
        // Closed to new callers, who would otherwise get a second connection.
        try await until { await postgresError { try await pool.withConnection { $0.backendID } }?.kind == .poolClosed }
        open.finish()
        #expect(await closing.value)
        try await work.value
        await pool.close()
    }

    @Test func aConnectionWhoseServerTakesNoMoreWritesIsReplaced() async throws {
        try await withPool(maxConnections: 1) { pool in
            let first = try await pool.withConnection { connection in
                try await connection.run("SET default_transaction_read_only = on") // as a server's own setting would
                return connection.backendID
            }
            #expect(try await pool.withConnection { $0.backendID } != first)
        }
    }

    /// A pool that was connected to such a server finds out by writing, and does not overrule it.
    @Test func aConnectionWhoseServerNeverTookWritesIsReplaced() async throws {
        try await withPool(maxConnections: 1) {
            $0.connection.settings["default_transaction_read_only"] = "on"
        } _: { pool in
            let first = try await pool.withConnection { $0.backendID }
            #expect(try await pool.withConnection { $0.backendID } == first, "it may be read from")
            let error = await postgresError { try await pool.transaction { try await $0.run("CREATE TABLE t ()") } }
            #expect(error?.sqlState == "25006")
            #expect(try await pool.withConnection { $0.backendID } != first)
        }
    }
}
