import Postgres

/// Series and their samples in one span of time.
struct SeriesReading: Sendable {
    private(set) var series: [SeriesDescription] = []
    private let merges: [Int32: SampleMerge]

    /// Puts together what ``SeriesFilter/reading(_:in:_:)`` answered.
    init(_ rows: [SeriesReadingRow], within span: Range<Int64>) {
        var stored: [StoredSamples] = []
        for row in rows {
            switch row {
            case .series(let one): series.append(one)
            case .samples(let samples): stored.append(samples)
            }
        }
        merges = [Int32: SampleMerge](stored, within: span)
    }

    func samples(of one: SeriesDescription) -> Samples {
        merges[one.id]?.merged() ?? Samples()
    }
}
