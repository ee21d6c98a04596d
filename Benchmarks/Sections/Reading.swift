import Foundation
import Postgres

extension Suite {
    /// (j) Thirty days of one series, 260,000 samples, in 500 buckets with their averages: through the query process, from
    /// chunks; and by SQL from a table with a row for each sample. Both hold ten such series and are warm.
    func readingAMonth() async throws -> [Row] {
        let laboratory = try await Laboratory.open(memory)
        let month = Month()
        let stored = try await laboratory.withIngest(compaction: .normal) {
            try await sendAll(
                laboratory.batches(month.shape, instants: Month.samples), laboratory.ingestPort,
                expecting: "\"stored\":\(month.shape.samplesEach)")
            return try await laboratory.settled()
        }
        let (ours, answered) = try await laboratory.withQuery { try await month.readThroughAPI(laboratory) }
        let (theirs, selected) = try await month.readFromRows(laboratory)
        try await laboratory.close()
        guard answered.count == selected.count, zip(answered, selected).allSatisfy({ abs($0 - $1) < 1e-6 }) else {
            throw BenchFailure(description: "the two readings differ")
        }
        let share = Double(stored.chunkedSamples) / Double(Month.samples * month.shape.seriesEach) * 100
        var row = Row(
            what: "Pulsegate, 260,000 samples in \(answered.count) buckets over HTTP", figure: Self.milliseconds(ours),
            note: String(format: "%.0f %% of the samples in chunks, the others in the log", share))
        row.ratio = Figure.ratio(1 / ours, 1 / theirs, "rows")
        return [row, Row(what: "a row per sample, the same by SQL", figure: Self.milliseconds(theirs))]
    }

    private static func milliseconds(_ seconds: Double) -> String { String(format: "%.0f ms", seconds * 1_000) }
}

/// Ten series of one store, a sample every 10 s.
private struct Month {
    static let samples = 260_000
    /// Seconds of one bucket: 520 samples, so 500 buckets.
    static let step: Int64 = 5_200

    let shape: SampleShape

    init() {
        let start = (Int64(Date().timeIntervalSince1970) - 31 * 86_400) / Self.step * Self.step
        shape = SampleShape(stores: 1, seriesEach: 10, instants: 50, origin: start * 1_000)
    }

    private var end: Int64 { shape.origin + Int64(Self.samples) * shape.step }

    private struct Answer: Decodable {
        struct Line: Decodable {
            /// Time in milliseconds, and value.
            let points: [[Double]]
        }
        let data: [Line]
    }

    private struct SignedIn: Decodable {
        let accessToken: String
    }

    private static let decoder = {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return decoder
    }()

    /// - Returns: the median of the times in seconds, and the buckets' averages.
    func readThroughAPI(_ laboratory: Laboratory) async throws -> (Double, [Double]) {
        let base = "http://127.0.0.1:\(laboratory.queryPort)/api/v1"
        let credentials = "{\"email\":\"\(laboratory.email)\",\"password\":\"\(laboratory.password)\"}"
        let login = try await Web.post(base + "/auth/login", credentials, contentType: "application/json")
        let token = try Self.decoder.decode(SignedIn.self, from: Data(login.text.utf8)).accessToken
        let url =
            "\(base)/series/query?metric=pos.sales_total&store=T001&label.till=\(shape.till(0))"
            + "&from=\(shape.origin)&to=\(end)&step=\(Self.step)&agg=avg"
        let (time, answer) = try await Self.median {
            let answer = try await Web.get(url, headers: ["Authorization": "Bearer \(token)"])
            guard answer.isGood else { throw BenchFailure(description: "series/query: \(answer.text)") }
            return answer
        }
        let lines = try Self.decoder.decode(Answer.self, from: Data(answer.text.utf8)).data
        return (time, lines.flatMap { $0.points.map { $0[1] } })
    }

    /// The same samples as rows, in the order in which they came.
    func readFromRows(_ laboratory: Laboratory) async throws -> (Double, [Double]) {
        try await laboratory.withConnection { connection in
            try await connection.run(
                """
                CREATE TABLE bench_rows (series_id int, ts bigint, value float8, PRIMARY KEY (series_id, ts))
                """)
            try await connection.run(
                "INSERT INTO bench_rows SELECT series_id, ts, value FROM samples ORDER BY ts, series_id")
            try await connection.run("VACUUM ANALYZE bench_rows")
            let series: Int32? = try await connection.first(
                """
                SELECT series_id FROM series_labels WHERE key = 'till' AND value = \(shape.till(0))
                """)
            let (time, rows) = try await Self.median {
                try await connection.all(buckets(of: series ?? 0))
            }
            return (time, rows)
        }
    }

    private func buckets(of series: Int32) -> Statement<Double> {
        """
        SELECT avg FROM (
            SELECT ts / \(Self.step * 1_000_000) AS bucket, avg(value) FROM bench_rows
             WHERE series_id = \(series) AND ts >= \(shape.origin * 1_000) AND ts < \(end * 1_000)
             GROUP BY 1 ORDER BY 1) b
        """
    }

    /// The middle one of 21 times in seconds, after five that warm up; and what came last.
    private static func median<Value>(_ read: () async throws -> Value) async throws -> (Double, Value) {
        var last = try await read()
        for _ in 0..<4 { last = try await read() }
        var times: [Double] = []
        for _ in 0..<21 {
            let start = ContinuousClock.now
            last = try await read()
            times.append((ContinuousClock.now - start) / .seconds(1))
        }
        return (times.sorted()[10], last)
    }
}
