import Postgres

@testable import Ingest

/// 2026-11-20T10:00:00Z.
let arrival = Timestamp(microseconds: 1_795_168_800_000_000)

/// A retention of 30 days.
let window = TimeWindow(
    arrival: arrival, oldest: Timestamp(microseconds: arrival.microseconds - 30 * 86_400 * 1_000_000),
    newest: Timestamp(microseconds: arrival.microseconds + 600 * 1_000_000))

let metricParser = MetricBatchParser(parsers: JSONParserPool())

func parse(_ text: String) throws(MetricBatchFault) -> MetricBatch {
    try metricParser.parse(Array(text.utf8), within: window)
}

/// A batch of the given rows.
func parse(rows: String...) throws(MetricBatchFault) -> MetricBatch {
    try parse(#"{"metrics":[\#(rows.joined(separator: ","))]}"#)
}

func fault(_ body: [UInt8]) -> MetricBatchFault? {
    do throws(MetricBatchFault) {
        _ = try metricParser.parse(body, within: window)
        return nil
    } catch {
        return error
    }
}

func fault(_ text: String) -> MetricBatchFault? { fault(Array(text.utf8)) }

/// The one row's code, nil when it is good.
func code(_ row: String) throws -> RowRejection.Code? {
    let batch = try parse(rows: row)
    return batch.rejected.first?.code
}

extension MetricBatch {
    var allSeries: [SeriesIdentity] { (0..<count).map { series($0) } }
}
