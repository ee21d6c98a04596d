import Foundation
import Postgres

/// What PostgreSQL itself can take: binary COPY of a row per sample into a table with a primary key, ten thousand rows a
/// transaction, from one connection.
struct CopyPeer {
    let url: String

    func samplesPerSecond(seconds: Int) async throws -> Double {
        let connection = try await PostgresConnection.connect(
            ConnectionConfiguration(url: url, applicationName: "bench", statementTimeout: .seconds(60)))
        try await connection.run(
            """
            CREATE TABLE bench_rows (tenant_id int, series_id int, ts bigint, value float8,
                                     PRIMARY KEY (tenant_id, series_id, ts))
            """)
        let clock = ContinuousClock()
        let start = clock.now
        var rows: Int64 = 0
        while clock.now - start < .seconds(seconds) {
            let first = rows
            try await connection.copyIn("bench_rows (tenant_id, series_id, ts, value)") { writer in
                for row in first..<first + 10_000 {
                    let ts = row / 1_000 * 10_000_000
                    try writer.row(Int32(1), Int32(row % 1_000), ts, Double(row % 10_000) / 100)
                }
            }
            rows += 10_000
        }
        let elapsed = (clock.now - start) / .seconds(1)
        try await connection.run("DROP TABLE bench_rows")
        await connection.close()
        return Double(rows) / elapsed
    }
}
