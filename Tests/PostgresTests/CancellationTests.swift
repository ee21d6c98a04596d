import Foundation
import Postgres
import Support
import Testing

@Suite struct CancellationTests {
    @Test func aCancelledTaskStopsItsStatement() async throws {
        try await withConnection { observer in
            try await withConnection { connection in
                let task = Task { try await connection.run("SELECT pg_sleep(60)") }
                try await until { try await observer.isRunning(connection.backendID, "pg_sleep") }
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
                #expect(try await !observer.isRunning(connection.backendID, "pg_sleep"))
                // The server confirmed it, so the connection serves on.
                #expect(connection.isUsable)
                let two = try await connection.first("SELECT 2" as Statement<Int32>)
                #expect(two == 2)
            }
        }
    }

    @Test func aTaskCancelledBeforeItsTurnRunsNothing() async throws {
        try await withConnection { observer in
            try await withConnection { connection in
                try await connection.run("CREATE TEMP TABLE t (id int4)")
                let first = Task { try await connection.run("SELECT pg_sleep(60)") }
                try await until { try await observer.isRunning(connection.backendID, "pg_sleep") }
                let second = Task { try await connection.run("INSERT INTO t VALUES (1)") }
                second.cancel()
                first.cancel()
                await #expect(throws: CancellationError.self) { try await second.value }
                let count = try await connection.first("SELECT count(*) FROM t" as Statement<Int>)
                #expect(count == 0)
            }
        }
    }

    @Test func aCancelledTransactionIsRolledBackAndItsConnectionServesOn() async throws {
        try await withPool(maxConnections: 1) { pool in
            try await pool.single("CREATE TABLE t (id int4)" as Command)
            try await withConnection { observer in
                let backend = try await pool.withConnection { $0.backendID }
                let task = Task {
                    try await pool.transaction { tx in
                        try await tx.run("INSERT INTO t VALUES (1)")
                        try await tx.run("SELECT pg_sleep(60)")
                    }
                }
                try await until { try await observer.isRunning(backend, "pg_sleep") }
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
                #expect(try await pool.single("SELECT count(*) FROM t" as Statement<Int>) == [0])
                #expect(try await pool.withConnection { $0.backendID } == backend)
            }
        }
    }

    @Test func theServersStatementTimeoutIsATimeout() async throws {
        try await withConnection(statementTimeout: .milliseconds(500)) { connection in
            let error = await postgresError { try await connection.run("SELECT pg_sleep(60)") }
            #expect((error?.kind, error?.sqlState) == (.timeout, "57014"))
            let one = try await connection.first("SELECT 1" as Statement<Int32>)
            #expect(one == 1)
        }
    }

    @Test func aSilentNetworkEndsInATimeout() async throws {
        try await withProxy { proxy, url in
            var configuration = ConnectionConfiguration(url: url, statementTimeout: .seconds(1))
            configuration.grace = .milliseconds(200)
            let connection = try await PostgresConnection.connect(configuration)
            proxy.hold()
            let error = await postgresError { try await connection.run("SELECT 1") }
            #expect((error?.kind, error?.commitUnknown) == (.timeout, true))
            #expect(!connection.isUsable)
            await connection.close()
        }
    }

    @Test func cancellingOverASilentNetworkGivesUp() async throws {
        try await withProxy { proxy, url in
            var configuration = ConnectionConfiguration(url: url, statementTimeout: nil)
            configuration.grace = .milliseconds(200)
            let connection = try await PostgresConnection.connect(configuration)
            proxy.hold()
            let task = Task { try await connection.run("SELECT 1") }
            task.cancel()
            await #expect(throws: (any Error).self) { try await task.value }
            proxy.cut()
            await connection.close()
        }
    }

    @Test func aLostAnswerToCommitIsToldAsUnknown() async throws {
        try await withProxy { proxy, url in
            // By this name it is told from all others that this server serves meanwhile.
            let name = UUID().uuidString
            let pool = PostgresPool(
                PoolConfiguration(
                    connection: ConnectionConfiguration(url: url, applicationName: name), maxConnections: 1))
            try await until { await pool.ping() }
            proxy.holdAnswers(after: "COMMIT")
            async let error = postgresError { try await pool.single("SELECT 'unknown'" as Statement<String>) }
            try await withConnection { observer in
                // The server has done it; only its answer is lost.
                let done: Statement<Bool> = """
                    SELECT count(*) > 0 FROM pg_stat_activity
                     WHERE application_name = \(name) AND state = 'idle' AND query = 'COMMIT'
                    """
                try await until { try await observer.first(done) ?? false }
            }
            proxy.cut()
            let found = await error
            #expect((found?.kind, found?.commitUnknown) == (.connectionLost, true))
            await pool.close()
        }
    }
}
