import Postgres
import Testing

@Suite struct ErrorTests {
    @Test func errorsCarryStateAndNames() async throws {
        try await withConnection { connection in
            try await connection.execute(
                script: """
                    CREATE TEMP TABLE parents (id int4 CONSTRAINT parents_key PRIMARY KEY);
                    CREATE TEMP TABLE children (
                        parent int4 CONSTRAINT child_parent REFERENCES parents, name text NOT NULL);
                    INSERT INTO parents VALUES (1);
                    """)
            let unique = await postgresError { try await connection.run("INSERT INTO parents VALUES (1)") }
            #expect((unique?.kind, unique?.sqlState, unique?.constraint) == (.server, "23505", "parents_key"))
            let foreign = await postgresError { try await connection.run("INSERT INTO children VALUES (2, 'x')") }
            #expect((foreign?.sqlState, foreign?.constraint, foreign?.table) == ("23503", "child_parent", "children"))
            let null = await postgresError { try await connection.run("INSERT INTO children VALUES (1, NULL)") }
            #expect((null?.sqlState, null?.column) == ("23502", "name"))
            let syntax = await postgresError { try await connection.run("SELEC 1") }
            #expect(syntax?.sqlState == "42601")
        }
    }

    @Test func nobodyListening() async throws {
        let configuration = ConnectionConfiguration(url: "postgresql://nobody@127.0.0.1:1/none")
        let error = await postgresError { try await PostgresConnection.connect(configuration) }
        #expect(error?.kind == .connectFailed)
    }

    @Test func copyInAPipelineIsRefused() async throws {
        try await withConnection { connection in
            let error = await postgresError { try await connection.run("COPY (SELECT 1) TO STDOUT") }
            #expect(error != nil)
            #expect(!connection.isUsable)
        }
    }

    @Test func aTerminatedBackendIsNoticedAndTold() async throws {
        try await withConnection { victim in
            try await withConnection { other in
                _ = try await other.all("SELECT pg_terminate_backend(\(victim.backendID))" as Statement<Bool>)
            }
            try await until { !victim.isUsable }
            let error = await postgresError { try await victim.run("SELECT 1") }
            #expect(error?.kind == .connectionLost)
        }
    }

    @Test func aBackendTerminatedWhileItRunsTellsWhy() async throws {
        try await withConnection { victim in
            async let error = postgresError { try await victim.run("SELECT pg_sleep(60)") }
            try await withConnection { other in
                try await until { try await other.isRunning(victim.backendID, "pg_sleep") }
                _ = try await other.all("SELECT pg_terminate_backend(\(victim.backendID))" as Statement<Bool>)
            }
            let found = await error
            #expect((found?.kind, found?.sqlState, found?.commitUnknown) == (.connectionLost, "57P01", false))
            #expect(!victim.isUsable)
        }
    }
}

extension PostgresConnection {
    /// Whether another backend is in the middle of a statement that contains `text`.
    func isRunning(_ backend: Int32, _ text: String) async throws -> Bool {
        let found: Statement<Bool> = """
            SELECT count(*) > 0 FROM pg_stat_activity
             WHERE pid = \(backend) AND state = 'active' AND position(\(text) IN query) > 0
            """
        return try await first(found) ?? false
    }
}
