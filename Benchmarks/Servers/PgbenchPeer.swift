import Foundation
import Postgres
import Support

/// What PostgreSQL itself takes of what an uplink leaves behind, one uplink a transaction.
struct PgbenchPeer {
    /// How much of it pgbench writes.
    enum Script {
        /// The row of `uplinks` alone.
        case reading
        /// The same rows as Pulsegate: reading, key, samples and the device's state, sent as one pipeline and decided about by
        /// nobody.
        case everyRow
    }

    let laboratory: Laboratory

    /// Tables like ours, without policies, partitions and rows of others.
    func open() async throws {
        _ = try await laboratory.withConnection { connection in
            try await connection.run("CREATE TABLE bench_uplinks (LIKE uplinks INCLUDING ALL)")
            try await connection.run("CREATE TABLE bench_keys (LIKE uplink_keys INCLUDING ALL)")
            try await connection.run("CREATE TABLE bench_log (LIKE sample_log INCLUDING ALL)")
            try await connection.run(
                "CREATE TABLE bench_states (LIKE device_states INCLUDING ALL) WITH (fillfactor = 50)")
            try await connection.run(
                "INSERT INTO bench_states (tenant_id, owner_id) SELECT 1, generate_series(1, \(Suite.sensors))")
        }
    }

    /// Uplinks a second. The script's tables are those of ``open()``.
    func rate(of script: Script, clients: Int, seconds: Double) async throws -> Double {
        try await rate(ofScript: Self.text(of: script), as: nil, clients: clients, seconds: seconds)
    }

    /// Transactions a second of any script.
    /// - Parameters:
    ///   - role: nil for the superuser.
    ///   - isPrepared: false for scripts with values written into them, whose colons would be variables.
    func rate(
        ofScript script: String, as role: String?, clients: Int, seconds: Double, isPrepared: Bool = true
    ) async throws -> Double {
        let file = laboratory.folder.appendingPathComponent("script.sql")
        try Data(script.utf8).write(to: file)
        // A short run says how many transactions make up the time that is asked for.
        let (first, mode) = isPrepared ? (100, "prepared") : (2, "simple")
        let hint = try await run(file, as: role, clients: clients, transactionsEach: first, mode)
        return try await run(
            file, as: role, clients: clients, transactionsEach: max(first, Int(hint * seconds) / clients), mode)
    }

    private static func text(of script: Script) -> String {
        let variables = """
            \\set owner random(1, \(Suite.sensors))
            \\set fcnt random(1, 1000000000)

            """
        switch script {
        case .reading: return variables + reading
        case .everyRow:
            let rest = """
                INSERT INTO bench_keys (tenant_id, owner_id, epoch, fcnt, f_port, payload_hash, network_at, received_at)
                VALUES (1, :owner, 0, :fcnt, 2, '0190f5c8-9c2f-7000-8000-000000000001', now(), now());
                INSERT INTO bench_log (tenant_id, owner_id, series, ts, value)
                VALUES (1, :owner, '{1,2,3}', '{1790000000000000,1790000000000000,1790000000000000}', '{1,21.4,97}');
                UPDATE bench_states SET epochs = 1, epoch = 0, reference = '26011bda', highest_fcnt = :fcnt, highest_at = now(),
                       newest_at = now(), session = '26011bda', battery = 97, rssi = -97, snr = 7.2, occupied = true
                 WHERE tenant_id = 1 AND owner_id = :owner;
                """
            return variables + "\\startpipeline\nBEGIN;\n" + reading + rest + "\nCOMMIT;\n\\endpipeline\n"
        }
    }

    /// A colon before a letter would be a variable to pgbench: so blanks stand in the JSON.
    private static let reading = """
        INSERT INTO bench_uplinks (tenant_id, owner_id, received_at, epoch, fcnt, arrived_at, clock_used, f_port, dev_addr,
                                   session, rssi, snr, gateway_id, gateways, payload, integration_id)
        VALUES (1, :owner, now(), 0, :fcnt, now(), false, 2, '26011bda', '26011bda', -97, 7.2, 'gw-1', '{gw-1}',
                '{"occupied": true, "temperature": 21.4, "battery": 97}', '0190f5c8-9c2f-7000-8000-000000000001');

        """

    private func run(
        _ script: URL, as role: String?, clients: Int, transactionsEach: Int, _ mode: String
    ) async throws -> Double {
        let output = try await Shell.run(
            "pgbench",
            [
                "-n", "-M", mode, "-c", "\(clients)", "-j", "1", "-t", "\(transactionsEach)", "-f", script.path,
                try TestPostgres.url(database: laboratory.database, user: role ?? "postgres"),
            ])
        guard let rate = output.word(after: "tps = ").flatMap(Double.init) else {
            throw BenchFailure(description: "pgbench said: \(output)")
        }
        return rate
    }
}
