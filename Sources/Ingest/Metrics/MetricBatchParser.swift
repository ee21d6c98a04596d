import CSimdjson
import Postgres

/// Turns the body of `POST /v1/metrics/batch` into a `MetricBatch`. Bad rows are set aside, good ones stay.
///
/// A member that is given twice counts as its last occurrence, in the document as in a row; a label key that is given
/// twice spoils its row. Members nobody knows are ignored, as long as they are JSON.
struct MetricBatchParser: Sendable {
    let parsers: JSONParserPool

    /// - Parameter body: decompressed.
    func parse(_ body: UnsafeRawBufferPointer, within window: TimeWindow) throws(MetricBatchFault) -> MetricBatch {
        try parsers.withParser { (parser) throws(MetricBatchFault) in
            let document: csj_metric_document
            do throws(JSONFault) {
                document = try parser.metrics(
                    body, maxRows: MetricBatch.maxRows, maxLabels: MetricBatch.maxLabels)
            } catch {
                throw MetricBatchFault(error)
            }
            guard document.metrics_kind == .array else { throw .notABatch }
            let batchID = try Self.batchID(document.batch_id)
            // No row is longer in its canonical form than in its text.
            var rows = MetricRows(document: document, window: window, capacity: body.count)
            return rows.batch(batchID: batchID)
        }
    }

    func parse(_ body: [UInt8], within window: TimeWindow) throws(MetricBatchFault) -> MetricBatch {
        let result: Result<MetricBatch, MetricBatchFault> = body.withUnsafeBytes { bytes in
            do throws(MetricBatchFault) {
                return .success(try parse(bytes, within: window))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private static func batchID(_ text: csj_text) throws(MetricBatchFault) -> String? {
        switch text.kind {
        case .absent, .null: return nil
        case .string: break
        default: throw .batchIDInvalid
        }
        let id = String(decoding: UnsafeBufferPointer(start: text.start, count: Int(text.length)), as: UTF8.self)
        guard id.unicodeScalars.count <= MetricBatch.maxBatchIDCharacters else { throw .batchIDInvalid }
        return id.isEmpty ? nil : id
    }
}
