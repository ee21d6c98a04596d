import Postgres
import Shared

/// Samples as they were read: a chunk of one series, or what a row of the log holds of some.
struct StoredSamples: RowDecodable {
    enum Place: Sendable {
        case chunk(series: Int32, SampleChunk)
        case logged(LogRow)
    }

    struct LogRow: Sendable {
        /// The order of acceptance.
        let id: Int64
        let series: [Int32]
        let ts: [Int64]
        let values: [Double]
    }

    let place: Place
    /// Samples of the statement's rows up to this one.
    let readSoFar: Int64

    init(_ row: Row) throws {
        readSoFar = try row["read"]
        guard try row["kind"] as Int32 != 1 else {
            place = .chunk(series: try row["id"], try SampleChunk(row, startsAt: "first"))
            return
        }
        let logged = LogRow(
            id: try row["first"], series: try row["series"], ts: try row["ts"], values: try row["value"])
        guard logged.series.count == logged.ts.count, logged.ts.count == logged.values.count else {
            throw PostgresError(kind: .decoding, message: "arrays of the log differ in length")
        }
        place = .logged(logged)
    }
}

extension [Int32: SampleMerge] {
    /// Merges by series.
    ///
    /// - Parameter span: samples of chunks outside it are left out; those of the log were by the statement.
    init(_ stored: [StoredSamples], within span: Range<Int64>) {
        self.init()
        var logged: [StoredSamples.LogRow] = []
        for samples in stored {
            switch samples.place {
            case .chunk(let series, let chunk): self[series, default: SampleMerge()].add(chunk, within: span)
            case .logged(let row): logged.append(row)
            }
        }
        for row in logged.sorted(by: { $0.id < $1.id }) {
            for index in row.series.indices {
                self[row.series[index], default: SampleMerge()].addLogged(row.ts[index], row.values[index])
            }
        }
    }
}
