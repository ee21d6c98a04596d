import CSimdjson
import Foundation
import Postgres
import Shared

/// Checks the rows of one parsed document in turn and lays the good ones out column by column.
struct MetricRows {
    private let rows: UnsafeBufferPointer<csj_metric_row>
    private let labels: UnsafePointer<csj_label>?
    private let window: TimeWindow
    private let hasher = SeriesHash.process

    private var positions: [Int32] = []
    private var microseconds: [Int64] = []
    private var values: [Double] = []
    private var hashes: [UInt64] = []
    private var ends: [Int32] = []
    private var rejected: [RowRejection] = []
    private var everyRowHasOwnTime = true
    private let capacity: Int

    init(document: csj_metric_document, window: TimeWindow, capacity: Int) {
        rows = UnsafeBufferPointer(start: document.rows, count: Int(document.row_count))
        labels = document.labels
        self.window = window
        self.capacity = capacity
    }

    mutating func batch(batchID: String?) -> MetricBatch {
        positions.reserveCapacity(rows.count)
        microseconds.reserveCapacity(rows.count)
        values.reserveCapacity(rows.count)
        hashes.reserveCapacity(rows.count)
        ends.reserveCapacity(rows.count)
        let canonical = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
            var writer = CanonicalWriter(buffer: UnsafeMutableRawBufferPointer(buffer))
            for index in rows.indices { take(index, &writer) }
            count = writer.end
        }
        return MetricBatch(
            batchID: batchID, processed: rows.count, everyRowHasOwnTime: everyRowHasOwnTime, positions: positions,
            microseconds: microseconds, values: values, seriesHashes: hashes, rejected: rejected,
            canonicalEnds: ends, canonicalBytes: canonical)
    }

    private mutating func take(_ index: Int, _ writer: inout CanonicalWriter) {
        let row = rows[index]
        let start = writer.end
        var time = window.arrival
        guard let code = fault(row, &time, &writer) else {
            positions.append(Int32(truncatingIfNeeded: index))
            microseconds.append(time.microseconds)
            values.append(row.value)
            hashes.append(hasher.hash(writer.written(from: start)))
            ends.append(Int32(truncatingIfNeeded: writer.end))
            if row.ts.kind != .string && row.ts.kind != .number { everyRowHasOwnTime = false }
            return
        }
        writer.end = start
        rejected.append(RowRejection(index: index, code: code))
    }

    private func fault(
        _ row: csj_metric_row, _ time: inout Timestamp, _ writer: inout CanonicalWriter
    ) -> RowRejection.Code? {
        guard row.row_kind == .object else { return .rowNotObject }
        guard row.has_broken_string == 0 else { return .stringInvalid }
        guard row.name.kind == .string, MetricName.isValid(row.name.bytes) else { return .nameInvalid }
        switch row.value_kind {
        case .number, .true, .false: break
        case .overflow: return .valueNotFinite
        default: return .valueInvalid
        }
        writer.append(row.name.bytes)
        if let code = labelFault(row, &writer) { return code }
        return timeFault(row, &time)
    }

    private func timeFault(_ row: csj_metric_row, _ time: inout Timestamp) -> RowRejection.Code? {
        switch row.ts.kind {
        case .absent, .null:
            return nil
        case .string:
            guard let parsed = Timestamp(rfc3339: row.ts.bytes) else { return .timeInvalid }
            time = parsed
        case .number:
            guard row.ts_microseconds >= 0 else { return .timeInvalid }
            time = Timestamp(microseconds: row.ts_microseconds)
        default:
            return .timeInvalid
        }
        if time < window.oldest { return .timeTooOld }
        return time > window.newest ? .timeTooNew : nil
    }

    private func labelFault(_ row: csj_metric_row, _ writer: inout CanonicalWriter) -> RowRejection.Code? {
        switch row.labels_kind {
        case .absent, .null: return nil
        case .object: break
        default: return .labelsInvalid
        }
        let count = Int(row.label_count)
        guard count <= MetricBatch.maxLabels else { return .tooManyLabels }
        guard count > 0, let labels else { return nil }
        let own = UnsafeBufferPointer(start: labels + Int(row.first_label), count: count)
        for label in own {
            guard MetricName.isValid(label.key.bytes, maxBytes: MetricName.maxLabelKeyBytes) else {
                return .labelKeyInvalid
            }
            guard label.value.kind == .string else { return .labelsInvalid }
            guard Int(label.value.length) <= MetricBatch.maxLabelValueBytes else { return .labelValueTooLong }
            // A NUL would end the value in the canonical form, and PostgreSQL has no text with one.
            if label.value.bytes.contains(0) { return .nulCharacter }
        }
        return append(own, &writer) ? nil : .labelsInvalid
    }

    /// Appends the labels by ascending key; false when a key comes twice.
    private func append(_ labels: UnsafeBufferPointer<csj_label>, _ writer: inout CanonicalWriter) -> Bool {
        withUnsafeTemporaryAllocation(of: csj_label.self, capacity: labels.count) { sorted in
            // Senders keep one order, mostly the sorted one: an insertion sort then only looks.
            for (at, label) in labels.enumerated() {
                var place = at
                while place > 0 {
                    let order = label.key.compare(sorted[place - 1].key)
                    if order == 0 { return false }
                    if order > 0 { break }
                    sorted.initializeElement(at: place, to: sorted[place - 1])
                    place -= 1
                }
                sorted.initializeElement(at: place, to: label)
            }
            for label in sorted {
                writer.appendSeparator()
                writer.append(label.key.bytes)
                writer.appendSeparator()
                writer.append(label.value.bytes)
            }
            return true
        }
    }
}

/// Writes the rows' canonical bytes one after another. Sized for the whole text, so it never grows.
private struct CanonicalWriter {
    let buffer: UnsafeMutableRawBufferPointer
    var end = 0

    mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard !bytes.isEmpty else { return }
        precondition(end + bytes.count <= buffer.count, "a row's series is never longer than its text")
        UnsafeMutableRawBufferPointer(rebasing: buffer[end..<(end + bytes.count)])
            .copyMemory(from: UnsafeRawBufferPointer(bytes))
        end += bytes.count
    }

    mutating func appendSeparator() {
        precondition(end < buffer.count, "a row's series is never longer than its text")
        buffer[end] = 0
        end += 1
    }

    func written(from start: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: buffer[start..<end])
    }
}

extension csj_text {
    fileprivate var bytes: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: start, count: Int(length)) }

    /// By bytes, shorter first: what PostgreSQL's collation "C" and `SeriesIdentity` do.
    fileprivate func compare(_ other: csj_text) -> Int32 {
        let order = memcmp(start, other.start, Int(min(length, other.length)))
        return order != 0 ? order : Int32(truncatingIfNeeded: Int(length) - Int(other.length))
    }
}
