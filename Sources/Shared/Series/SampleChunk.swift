import Postgres

/// Some hundreds of samples of one series, in time order, as they lie in `sample_chunks`.
package struct SampleChunk: Sendable {
    /// Samples that a chunk should hold: more compress no better, and a reader of a short span opens one whole.
    package static let goodSize = 700
    /// A chunk stays within one such period (microseconds: 30 days) counted from the Unix epoch; see the table's CHECK. Division cuts
    /// towards zero, in PostgreSQL as here.
    package static let period: Int64 = 2_592_000_000_000

    /// Time of the first sample, in microseconds since the Unix epoch.
    package let startsAt: Int64
    /// Microseconds that one step counts: 1 or 1,000.
    package let unit: Int32
    /// Differences between neighbours, one fewer than the values; a single one stands for all when they are equal. Where one
    /// is too wide for an int4, all are pairs: high * 2^31 + low.
    package let steps: [Int32]
    package let values: [Double]

    /// - Throws: `PostgresError` of kind `decoding` when there are neither as many steps as gaps, nor twice as many, nor one.
    package init(startsAt: Int64, unit: Int32, steps: [Int32], values: [Double]) throws {
        guard steps.count == 1 || steps.count == values.count - 1 || steps.count == 2 * (values.count - 1) else {
            throw PostgresError(
                kind: .decoding, message: "a chunk of \(values.count) samples has \(steps.count) steps")
        }
        self.init(unchecked: startsAt, unit, steps, values)
    }

    private init(unchecked startsAt: Int64, _ unit: Int32, _ steps: [Int32], _ values: [Double]) {
        self.startsAt = startsAt
        self.unit = unit
        self.steps = steps
        self.values = values
    }

    /// Time of the last sample.
    package var endsAt: Int64 {
        (1..<max(1, values.count)).reduce(startsAt) { $0 &+ step(to: $1) }
    }

    /// From the sample before, microseconds.
    private func step(to index: Int) -> Int64 {
        let units =
            if steps.count == 1 {
                Int64(steps[0])
            } else if steps.count < values.count {
                Int64(steps[index - 1])
            } else {
                Int64(steps[2 * index - 2]) &<< 31 &+ Int64(steps[2 * index - 1])
            }
        return Int64(unit) &* units
    }

    /// Calls `body` with the time and value of each sample within `span`, in time order.
    ///
    /// Wraps instead of trapping: a damaged row must not end the process.
    package func forEachSample(
        in span: Range<Int64> = .min ..< .max, _ body: (_ ts: Int64, _ value: Double) -> Void
    ) {
        var ts = startsAt
        for (index, value) in values.enumerated() {
            if index > 0 { ts &+= step(to: index) }
            if ts >= span.upperBound { return }
            if ts >= span.lowerBound { body(ts, value) }
        }
    }
}

// MARK: - Making

extension SampleChunk {
    /// Chunks of one series' samples: each within a period, of about ``goodSize`` and at most half as much again.
    /// - Parameter ts: strictly ascending, microseconds.
    package static func make(ts: [Int64], values: [Double]) -> [SampleChunk] {
        precondition(ts.count == values.count, "a value for each time")
        let unit: Int64 = ts.allSatisfy { $0 % 1_000 == 0 } ? 1_000 : 1
        var chunks: [SampleChunk] = []
        var start = 0
        while start < ts.count {
            var end = start + 1
            while end < ts.count, ts[end] / period == ts[start] / period { end += 1 }
            let pieces = max(1, (end - start + goodSize / 2) / goodSize)
            for piece in 0..<pieces {
                let range = start + (end - start) * piece / pieces..<start + (end - start) * (piece + 1) / pieces
                chunks.append(SampleChunk(ts[range], values[range], unit: unit))
            }
            start = end
        }
        return chunks
    }

    private init(_ ts: ArraySlice<Int64>, _ values: ArraySlice<Double>, unit: Int64) {
        let gaps = zip(ts.dropFirst(), ts).map { ($0 - $1) / unit }
        var steps: [Int32]
        if let widest = gaps.max(), widest > Int32.max {
            steps = gaps.flatMap { [Int32($0 >> 31), Int32($0 & 0x7FFF_FFFF)] }
        } else {
            steps = gaps.map { Int32($0) }
            if steps.count > 1, steps.allSatisfy({ $0 == steps[0] }) { steps = [steps[0]] }
        }
        self.init(unchecked: ts[ts.startIndex], Int32(unit), steps, Array(values))
    }
}
