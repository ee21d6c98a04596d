/// Which points are sent, the same to every system: so many stores with so many series each, and in each request one store's
/// series at one instant or several in a row.
struct SampleShape: Sendable {
    var stores = 100
    var seriesEach = 100
    /// Instants in one request.
    var instants = 1
    /// Milliseconds from one instant to the next.
    var step: Int64 = 10_000
    /// Milliseconds, fewer than `step`, that each sample may come later than its instant.
    var jitter: Int64 = 0
    /// Instant of the first request, milliseconds since the Unix epoch; 13 digits.
    var origin: Int64

    var samplesEach: Int { seriesEach * instants }

    func storeCode(_ store: Int) -> String { "T" + padded(store + 1, 3) }

    func till(_ series: Int) -> String { padded(series, seriesEach > 100 ? 3 : 2) }

    private func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

/// How a system wants a request: everything around the points.
struct SampleFormat: Sendable {
    /// The request's lines up to, not with, Content-Length; by store.
    let head: @Sendable (_ store: Int) -> String
    let opening: String
    let separator: String
    let closing: String
    /// One point with `#` ×5 for its value and `@` ×13 for its time.
    let point: @Sendable (_ store: String, _ till: String) -> String

    static let value = "#####"
    static let time = "@@@@@@@@@@@@@"

    /// `POST /v1/metrics/batch`.
    static func json(path: String, keys: [String]) -> SampleFormat {
        SampleFormat(
            head: { store in
                """
                POST \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer \(keys[store])\r\n\
                Content-Type: application/json\r\n
                """
            },
            opening: "{\"metrics\":[", separator: ",", closing: "]}",
            point: { _, till in
                "{\"name\":\"pos.sales_total\",\"value\":\(value),\"ts\":\(time),\"labels\":{\"till\":\"\(till)\"}}"
            })
    }

    /// InfluxDB's line protocol, times in milliseconds.
    static func lines(path: String) -> SampleFormat {
        SampleFormat(
            head: { _ in "POST \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\n" },
            opening: "", separator: "\n", closing: "\n",
            point: { "pos.sales_total,store=\($0),till=\($1) value=\(value) \(time)" })
    }
}
