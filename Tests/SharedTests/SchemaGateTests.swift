import Logging
import Postgres
import Shared
import Support
import Testing

@Suite struct SchemaGateTests {
    @Test func opensForTodaysSchema() async throws {
        try await MigratedDatabase.withClone { database in
            try await database.withPool(as: .query) { pool in
                let gate = SchemaGate(database: pool, logger: .silent)
                #expect(await gate.check.isReady() == false)
                let isOpen = try await gate.open()
                #expect(isOpen)
                #expect(await gate.check.isReady())
            }
        }
    }

    @Test func refusesAnOlderOne() async throws {
        try await MigratedDatabase.withClone { database in
            try await database.asSuperuser { connection in
                try await connection.execute(
                    script: "DELETE FROM schema_migrations WHERE version = (SELECT max(version) FROM schema_migrations)"
                )
            }
            try await database.withPool(as: .query) { pool in
                let gate = SchemaGate(database: pool, logger: .silent)
                let error = await #expect(throws: StaleSchema.self) { try await gate.open() }
                #expect(error?.description.contains("pulsegate migrate") == true)
                #expect(await gate.check.isReady() == false)
            }
        }
    }

    @Test func waitsForADatabaseThatIsAway() async throws {
        let connection = ConnectionConfiguration(url: "postgresql://nobody@127.0.0.1:1/nothing")
        let pool = PostgresPool(
            PoolConfiguration(connection: connection, acquireTimeout: .milliseconds(200)), logger: .silent)
        let gate = SchemaGate(database: Database(pool: pool), logger: .silent)
        #expect(try await gate.open() == false)
        #expect(await gate.check.isReady() == false)
        await pool.close()
    }
}
