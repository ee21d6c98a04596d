import Postgres
import Shared
import Support

@testable import Ingest

/// What `MetricBatchParser` has to make of a body, by the rules of the specification, read off the plain JSON value.
enum MetricBatchModel {
    struct Row: Equatable {
        var position: Int
        var series: SeriesIdentity
        var microseconds: Int64
        /// Bits, so that -0 and 0 differ.
        var value: UInt64
    }

    struct Batch: Equatable {
        var batchID: String?
        var processed = 0
        var everyRowHasOwnTime = true
        var rows: [Row] = []
        var rejected: [RowRejection] = []
    }

    enum Outcome: Equatable {
        /// Not JSON, or nested too deep: which of them is found first is the parser's business.
        case unreadable
        case fault(MetricBatchFault)
        case batch(Batch)
    }

    static func outcome(of body: [UInt8], within window: TimeWindow) -> Outcome {
        guard let root = ReferenceJSON(body, maxDepth: 128) else { return .unreadable }
        guard case .object(let members) = root else {
            return root.hasBrokenString ? .unreadable : .fault(.notABatch)
        }
        // A broken string spoils its row; outside of rows it spoils the document.
        for (name, value) in members {
            if name == "metrics", case .array = value { continue }
            if name == nil || value.hasBrokenString { return .unreadable }
        }
        guard case .array(let rows)? = members.last(where: { $0.name == "metrics" })?.value else {
            return .fault(.notABatch)
        }
        var batch = Batch(processed: rows.count)
        switch root["batch_id"] {
        case nil: break
        case .string(let id?) where id.unicodeScalars.count <= 128: batch.batchID = id.isEmpty ? nil : id
        default: return .fault(.batchIDInvalid)
        }
        for (index, row) in rows.enumerated() { take(row, index, window, &batch) }
        return .batch(batch)
    }

    private struct Bad: Error {
        let code: RowRejection.Code
    }

    private static func take(_ row: ReferenceJSON, _ index: Int, _ window: TimeWindow, _ batch: inout Batch) {
        do throws(Bad) {
            guard case .object = row else { throw Bad(code: .rowNotObject) }
            guard !row.hasBrokenString else { throw Bad(code: .stringInvalid) }
            guard case .string(let name?)? = row["name"], isName(name, 128) else { throw Bad(code: .nameInvalid) }
            let value = try value(row["value"])
            let series = SeriesIdentity(metric: name, labels: try labels(row["labels"]))
            let time = try time(row["ts"], window)
            if row["ts"] == nil { batch.everyRowHasOwnTime = false }
            batch.rows.append(
                Row(position: index, series: series, microseconds: time.microseconds, value: value.bitPattern))
        } catch {
            batch.rejected.append(RowRejection(index: index, code: error.code))
        }
    }

    private static func value(_ json: ReferenceJSON?) throws(Bad) -> Double {
        switch json {
        case .boolean(let flag)?: return flag ? 1 : 0
        case .number(let text)?:
            let number = ReferenceNumber(text).double
            guard number.isFinite else { throw Bad(code: .valueNotFinite) }
            return number
        default: throw Bad(code: .valueInvalid)
        }
    }

    private static func labels(_ json: ReferenceJSON?) throws(Bad) -> [SeriesIdentity.Label] {
        guard let json else { return [] }
        guard case .object(let members) = json else { throw Bad(code: .labelsInvalid) }
        guard members.count <= 16 else { throw Bad(code: .tooManyLabels) }
        var labels: [SeriesIdentity.Label] = []
        for (key, value) in members {
            guard let key, isName(key, 64) else { throw Bad(code: .labelKeyInvalid) }
            guard case .string(let text?) = value else { throw Bad(code: .labelsInvalid) }
            guard text.utf8.count <= 256 else { throw Bad(code: .labelValueTooLong) }
            guard !text.utf8.contains(0) else { throw Bad(code: .nulCharacter) }
            labels.append(.init(key: key, value: text))
        }
        guard Set(labels.map(\.key)).count == labels.count else { throw Bad(code: .labelsInvalid) }
        return labels
    }

    private static func time(_ json: ReferenceJSON?, _ window: TimeWindow) throws(Bad) -> Timestamp {
        let time: Timestamp
        switch json {
        case nil: return window.arrival
        case .string(let text?)?:
            guard let parsed = Timestamp(rfc3339: text) else { throw Bad(code: .timeInvalid) }
            time = parsed
        case .number(let text)?:
            guard let microseconds = ReferenceNumber(text).thousandfold, microseconds >= 0 else {
                throw Bad(code: .timeInvalid)
            }
            time = Timestamp(microseconds: microseconds)
        default: throw Bad(code: .timeInvalid)
        }
        if time < window.oldest { throw Bad(code: .timeTooOld) }
        if time > window.newest { throw Bad(code: .timeTooNew) }
        return time
    }

    /// `[A-Za-z_][A-Za-z0-9_.:/-]*`.
    static func isName(_ text: String, _ maxBytes: Int) -> Bool {
        let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_".unicodeScalars
        guard let first = text.unicodeScalars.first, letters.contains(first) else { return false }
        return text.utf8.count <= maxBytes
            && text.unicodeScalars.allSatisfy { letters.contains($0) || "0123456789.:/-".unicodeScalars.contains($0) }
    }
}

extension MetricBatchModel.Batch {
    init(_ batch: MetricBatch) {
        self.init(
            batchID: batch.batchID, processed: batch.processed, everyRowHasOwnTime: batch.everyRowHasOwnTime,
            rows: (0..<batch.count).map { row in
                MetricBatchModel.Row(
                    position: Int(batch.positions[row]), series: batch.series(row),
                    microseconds: batch.microseconds[row],
                    value: batch.values[row].bitPattern)
            }, rejected: batch.rejected)
    }
}
