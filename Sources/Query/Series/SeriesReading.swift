import Postgres

/// Series and their samples in one span of time.
struct SeriesReading: Sendable {
    private(set) var series: [SeriesDescription] = []
    private var merges: [Int32: SampleMerge] = [:]

    /// Puts together what ``SeriesFilter/reading(_:in:_:)`` answered.
    init(_ rows: [SeriesReadingRow], within span: Range<Int64>) {
        var logged: [SeriesReadingRow.LogRow] = []
        for row in rows {
            switch row {
            case .series(let one): series.append(one)
            case .chunk(let id, let chunk, _): merges[id, default: SampleMerge()].add(chunk, within: span)
            case .logged(let row, _): logged.append(row)
            }
        }
        for row in logged.sorted(by: { $0.id < $1.id }) {
            for index in row.series.indices {
                merges[row.series[index], default: SampleMerge()].addLogged(row.ts[index], row.values[index])
            }
        }
    }

    func samples(of one: SeriesDescription) -> Samples {
        merges[one.id]?.merged() ?? Samples()
    }
}
