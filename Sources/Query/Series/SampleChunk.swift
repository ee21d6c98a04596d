import Postgres

/// Some hundreds of samples of one series, in time order, as they lie in `sample_chunks`.
struct SampleChunk: Sendable {
    /// Time of the first sample, in microseconds since the Unix epoch.
    let startsAt: Int64
    /// Microseconds that one step counts: 1 or 1,000.
    let unit: Int32
    /// Differences between neighbours, one fewer than the values; a single one stands for all when they are equal.
    let steps: [Int32]
    let values: [Double]

    /// - Throws: `PostgresError` of kind `decoding` when there are neither as many steps as gaps nor exactly one.
    init(startsAt: Int64, unit: Int32, steps: [Int32], values: [Double]) throws {
        guard steps.count == 1 || steps.count == values.count - 1 else {
            throw PostgresError(
                kind: .decoding, message: "a chunk of \(values.count) samples has \(steps.count) steps")
        }
        self.startsAt = startsAt
        self.unit = unit
        self.steps = steps
        self.values = values
    }

    /// Calls `body` with the time and value of each sample within `span`, in time order.
    ///
    /// Wraps instead of trapping: a damaged row must not end the process.
    func forEachSample(in span: Range<Int64>, _ body: (_ ts: Int64, _ value: Double) -> Void) {
        var ts = startsAt
        let isRegular = steps.count == 1
        let regularStep = Int64(unit) &* Int64(steps.first ?? 0)
        for (index, value) in values.enumerated() {
            if index > 0 { ts &+= isRegular ? regularStep : Int64(unit) &* Int64(steps[index - 1]) }
            if ts >= span.upperBound { return }
            if ts >= span.lowerBound { body(ts, value) }
        }
    }
}
