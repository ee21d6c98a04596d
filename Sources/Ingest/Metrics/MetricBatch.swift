import Postgres

/// The good rows of one request, column by column as `sample_log` takes them, and its bad rows.
///
/// A row's series stands here as its canonical bytes (`SeriesIdentity`), all rows' in one buffer: a look-up in the
/// series cache compares bytes and makes no `String`.
struct MetricBatch: Sendable {
    static let maxRows = 10_000
    static let maxLabels = 16
    static let maxLabelValueBytes = 256
    static let maxBatchIDCharacters = 128

    /// `batch_id` as sent; an empty one counts as none.
    var batchID: String?
    /// Rows in the request, good and bad.
    var processed: Int
    /// Whether every good row came with a time of its own, so that a resend can be told by its content.
    var everyRowHasOwnTime: Bool
    /// Place of each good row in the request, from 0, ascending.
    var positions: [Int32]
    /// Microseconds since the Unix epoch; the time of arrival for rows without `ts`.
    var microseconds: [Int64]
    var values: [Double]
    /// `SeriesHash` of each row's canonical bytes; good within this process only.
    var seriesHashes: [UInt64]
    /// In order of `index`.
    var rejected: [RowRejection]

    /// Where each row's canonical bytes end in `canonicalBytes`; they start where the row before ends.
    var canonicalEnds: [Int32]
    var canonicalBytes: [UInt8]

    /// Good rows.
    var count: Int { values.count }

    /// Drops what says which series the rows are of, half of a batch's memory: once the ids are known nobody asks any more.
    mutating func forgetSeries() {
        (canonicalBytes, canonicalEnds, seriesHashes) = ([], [], [])
    }

    /// Lends the canonical bytes of all rows.
    func withSeriesKeys<Value, Failure: Error>(
        _ body: (SeriesKeys) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        let lent: Result<Value, Failure> = canonicalBytes.withUnsafeBytes { bytes in
            canonicalEnds.withUnsafeBufferPointer { ends in
                do throws(Failure) {
                    return .success(try body(SeriesKeys(bytes: bytes, ends: ends)))
                } catch {
                    return .failure(error)
                }
            }
        }
        return try lent.get()
    }

    /// Lends the canonical bytes of the good row `row`.
    func withCanonicalBytes<Value, Failure: Error>(
        _ row: Int, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        try withSeriesKeys { (keys) throws(Failure) in try body(keys[row]) }
    }

    /// The series of the good row `row`, for when the cache doesn't know it.
    func series(_ row: Int) -> SeriesIdentity {
        withCanonicalBytes(row) { SeriesIdentity(canonicalBytes: $0) }
    }

    /// Valid within the closure that gets it.
    struct SeriesKeys {
        fileprivate let bytes: UnsafeRawBufferPointer
        fileprivate let ends: UnsafeBufferPointer<Int32>

        subscript(row: Int) -> UnsafeRawBufferPointer {
            let start = row == 0 ? 0 : Int(ends[row - 1])
            return UnsafeRawBufferPointer(rebasing: bytes[start..<Int(ends[row])])
        }
    }
}

/// Between which times a sample is taken.
struct TimeWindow: Sendable {
    /// Stands in where a row has no `ts`.
    var arrival: Timestamp
    /// Inclusive: now less the tenant's retention.
    var oldest: Timestamp
    /// Inclusive: now and 10 minutes.
    var newest: Timestamp
}

/// Why a batch was refused as a whole.
enum MetricBatchFault: Error, Equatable {
    /// 400.
    case notJSON
    case tooDeep
    /// Well-formed, but not `{"metrics":[…]}`.
    case notABatch
    case tooManyRows
    case batchIDInvalid
    case outOfMemory

    init(_ fault: JSONFault) {
        switch fault {
        case .notJSON: self = .notJSON
        case .tooDeep: self = .tooDeep
        case .tooMany: self = .tooManyRows
        case .notObject: self = .notABatch
        case .outOfMemory: self = .outOfMemory
        }
    }
}
