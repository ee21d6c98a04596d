import Foundation
import Postgres
import Support

/// What PostgreSQL itself takes of single rows: pgbench inserts the row that an uplink becomes, one a transaction.
struct PgbenchPeer {
    let laboratory: Laboratory

    func insertsPerSecond(clients: Int, seconds: Double) async throws -> Double {
        _ = try await laboratory.withConnection { connection in
            try await connection.run("CREATE TABLE bench_uplinks (LIKE uplinks INCLUDING ALL)")
        }
        let script = laboratory.folder.appendingPathComponent("insert.sql")
        try Data(Self.script.utf8).write(to: script)
        // A short run says how many transactions make up the time that is asked for.
        let hint = try await run(script, clients: clients, transactionsEach: 100)
        return try await run(script, clients: clients, transactionsEach: max(100, Int(hint * seconds) / clients))
    }

    /// A colon before a letter would be a variable to pgbench: so blanks stand in the JSON.
    private static let script = """
        \\set owner random(1, \(Suite.sensors))
        \\set fcnt random(1, 1000000000)
        INSERT INTO bench_uplinks (tenant_id, owner_id, received_at, epoch, fcnt, arrived_at, clock_used, f_port, dev_addr,
                                   session, rssi, snr, gateway_id, gateways, payload, integration_id)
        VALUES (1, :owner, now(), 0, :fcnt, now(), false, 2, '26011bda', '26011bda', -97, 7.2, 'gw-1', '{gw-1}',
                '{"occupied": true, "temperature": 21.4, "battery": 97}', '0190f5c8-9c2f-7000-8000-000000000001');
        """

    private func run(_ script: URL, clients: Int, transactionsEach: Int) async throws -> Double {
        let output = try await Shell.run(
            "pgbench",
            [
                "-n", "-M", "prepared", "-c", "\(clients)", "-j", "1", "-t", "\(transactionsEach)", "-f", script.path,
                try TestPostgres.url(database: laboratory.database),
            ])
        guard let rate = output.word(after: "tps = ").flatMap(Double.init) else {
            throw BenchFailure(description: "pgbench said: \(output)")
        }
        return rate
    }
}
