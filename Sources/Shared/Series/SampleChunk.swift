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
    private let steps: Steps
    package let values: [Double]

    /// Differences between neighbours, in units.
    private enum Steps: Equatable {
        case equal(Int64)
        /// One fewer than the values.
        case each([Int64])

        init(_ steps: [Int64]) {
            self = steps.count > 1 && steps.allSatisfy { $0 == steps[0] } ? .equal(steps[0]) : .each(steps)
        }
    }

    private init(startsAt: Int64, unit: Int32, steps: Steps, values: [Double]) {
        (self.startsAt, self.unit, self.steps, self.values) = (startsAt, unit, steps, values)
    }

    /// Time of the last sample.
    package var endsAt: Int64 {
        switch steps {
        case .equal(let step): startsAt &+ Int64(unit) &* step &* Int64(values.count - 1)
        case .each(let steps): steps.reduce(startsAt) { $0 &+ Int64(unit) &* $1 }
        }
    }

    /// From the sample before, microseconds.
    private func step(to index: Int) -> Int64 {
        switch steps {
        case .equal(let step): Int64(unit) &* step
        case .each(let steps): Int64(unit) &* steps[index - 1]
        }
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
        self.init(startsAt: ts[ts.startIndex], unit: Int32(unit), steps: Steps(gaps), values: Array(values))
    }
}

// MARK: - Columns

extension SampleChunk {
    /// `steps` or `packed_steps`, and `value` or `packed_values`: chunks are written with packed steps, and with packed values where
    /// they are decimals; older ones have arrays.
    /// - Parameter startsAt: the column of the first sample's time.
    /// - Throws: `PostgresError` of kind `decoding` when there are not as many steps as gaps between values.
    package init(_ row: Row, startsAt: String = "starts_at") throws {
        let packedValues: [UInt8]? = try row["packed_values"]
        let values: [Double] =
            try packedValues.map { try PackedIntegers(bytes: $0).decimals } ?? row["value"] as [Double]
        let packedSteps: [UInt8]? = try row["packed_steps"]
        try self.init(
            startsAt: row[startsAt], unit: row["unit"],
            steps: packedSteps.map { try Self.steps(packed: $0, between: values.count) }
                ?? Self.steps(of: row["steps"], between: values.count), values: values)
        if case .each(let steps) = steps, steps.count != values.count - 1 {
            throw PostgresError(kind: .decoding, message: "a chunk of \(values.count) samples has \(steps.count) steps")
        }
    }

    private static func steps(packed bytes: [UInt8], between samples: Int) throws -> Steps {
        let steps = try PackedIntegers(bytes: bytes).numbers
        // Equal ones would hide that there are too many or too few.
        return steps.count == samples - 1 ? Steps(steps) : .each(steps)
    }

    /// - Parameter steps: one fewer than the samples; a single one stands for all; where one is too wide for an int4, all are pairs:
    ///   high * 2^31 + low.
    private static func steps(of steps: [Int32], between samples: Int) throws -> Steps {
        if steps.count == 1 { return .equal(Int64(steps[0])) }
        guard steps.count >= samples else { return .each(steps.map(Int64.init)) }
        return .each(
            stride(from: 1, to: steps.count, by: 2).map { Int64(steps[$0 - 1]) &<< 31 &+ Int64(steps[$0]) })
    }

    package var packedSteps: [UInt8] {
        switch steps {
        case .equal(let step): PackedIntegers(Array(repeating: step, count: values.count - 1)).bytes
        case .each(let steps): PackedIntegers(steps).bytes
        }
    }

    package var packedValues: [UInt8]? { PackedIntegers(decimals: values)?.bytes }
}
