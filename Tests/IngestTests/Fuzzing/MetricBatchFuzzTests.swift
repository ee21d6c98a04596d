import Postgres
import Shared
import Support
import Testing

@testable import Ingest

struct MetricBatchFuzzTests {
    static let corpus = [
        #"{"metrics":[{"name":"pos.sales_total","value":12.5,"ts":"2026-11-20T10:00:00.123Z","labels":{"till":"3"}}]}"#,
        #"{"batch_id":"b\u00e9-1","metrics":[{"name":"a","value":-12.5e1,"ts":1795168740123,"labels":{"z":"1","a":"é\n"}},{"name":"c","value":true}]}"#,
        #"{"metrics":[{"name":"a","value":1,"ts":1795168740123.4567},{"value":"x","name":"b"},[1],null,{"name":"c","value":false,"ts":null,"labels":null}],"more":{"x":[1,{"y":null}]}}"#,
        #" { "metrics" : [ { "name" : "a:b/c-d" , "value" : 0.1 , "labels" : { "k" : "" , "k2" : "\ud83d\ude00" } } ] } "#,
        #"{"metrics":[],"metrics":[{"name":"n","name":"m","value":1,"value":2,"labels":{"a":"1"},"labels":{"b":"2"},"ts":1,"ts":1795168740000}]}"#,
    ]

    /// Faults, rows, their order, series, times and values, and index and code of each rejection: all as the model has them.
    @Test func parsesAsTheModelSays() throws {
        var fuzzer = Fuzzer("metric batch", corpus: Self.corpus, mutations: .json, iterations: 3_000)
        try fuzzer.run { body in
            let expected = MetricBatchModel.outcome(of: body, within: window)
            switch Result(catching: { () throws(MetricBatchFault) in try metricParser.parse(body, within: window) }) {
            case .success(let batch): return try Self.check(batch, expected)
            case .failure(let fault): return try Self.check(fault, expected, body)
            }
        }
        #expect(fuzzer.hasReached(200))
    }

    /// On both sides of each border.
    @Test func parsesOnBothSidesOfEachBorder() throws {
        func labels(_ count: Int, key: Int = 2, value: Int = 1) -> String {
            let members = (0..<count).map { number in
                let name = "k\(number)"
                return
                    "\"\(name + String(repeating: "x", count: max(0, key - name.utf8.count)))\":\"\(String(repeating: "v", count: value))\""
            }
            return "\"labels\":{\(members.joined(separator: ","))}"
        }
        let times = [
            window.oldest.microseconds, window.oldest.microseconds - 1, window.newest.microseconds,
            window.newest.microseconds + 1,
        ]
        let borders =
            [
                labels(16), labels(17), labels(1, key: 64), labels(1, key: 65), labels(1, value: 256),
                labels(1, value: 257),
            ]
            + times.map { "\"ts\":\(Double($0) / 1_000)" }
            + times.map { "\"ts\":\"\(Timestamp(microseconds: $0).rfc3339)\"" }
            + [128, 129].map { "\"name\":\"\(String(repeating: "n", count: $0))\"" }
        for border in borders {
            let body = Array(#"{"metrics":[{"name":"a","value":1,\#(border)}]}"#.utf8)
            let batch = try metricParser.parse(body, within: window)
            #expect(try Self.check(batch, MetricBatchModel.outcome(of: body, within: window)), "\(border)")
        }
        for count in [128, 129] {
            let body = Array(#"{"batch_id":"\#(String(repeating: "é", count: count))","metrics":[]}"#.utf8)
            let isTaken = (try? metricParser.parse(body, within: window)) != nil
            #expect(isTaken == (count == 128))
        }
    }

    private static func check(_ batch: MetricBatch, _ expected: MetricBatchModel.Outcome) throws -> Bool {
        try agree(.batch(MetricBatchModel.Batch(batch)), expected, "batch")
        for row in 0..<batch.count {
            let series = batch.series(row)
            let bytes = series.canonicalBytes
            try agree(bytes.withUnsafeBytes { SeriesIdentity(canonicalBytes: $0) }, series, "series from its own bytes")
            try holds(ReferenceJSON(Array(series.labelsJSON.utf8)) != nil, "labels are kept as JSON")
        }
        return true
    }

    private static func check(
        _ fault: MetricBatchFault, _ expected: MetricBatchModel.Outcome, _ body: [UInt8]
    ) throws -> Bool {
        switch fault {
        case .notJSON, .tooDeep: try agree(.unreadable, expected, "\(fault)")
        case .tooManyRows:
            try holds(body.count > 2 * MetricBatch.maxRows, "\(body.count) bytes can't hold so many rows")
        default: try agree(.fault(fault), expected, "fault")
        }
        return false
    }
}
