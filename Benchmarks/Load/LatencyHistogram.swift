/// Counts of latencies in classes that grow with them: 32 classes for each doubling, so a quantile is exact to 3 %.
struct LatencyHistogram: Sendable {
    private static let bits = 5
    private var counts = [Int](repeating: 0, count: 64 << bits)
    private(set) var count = 0

    /// - Parameter nanoseconds: from the time when the request was due to the last byte of its answer.
    mutating func add(_ nanoseconds: UInt64) {
        counts[Self.index(of: nanoseconds)] += 1
        count += 1
    }

    mutating func merge(_ other: LatencyHistogram) {
        for index in counts.indices { counts[index] += other.counts[index] }
        count += other.count
    }

    /// Milliseconds that a share of the requests, 0…1, did not exceed; 0 when there were none.
    func milliseconds(at share: Double) -> Double {
        let wanted = max(1, Int((Double(count) * share).rounded(.up)))
        var seen = 0
        for (index, count) in counts.enumerated() {
            seen += count
            if seen >= wanted { return Self.upperBound(of: index) / 1e6 }
        }
        return 0
    }

    /// Small numbers have a class each; others are classed by their highest bit and the five below it.
    private static func index(of value: UInt64) -> Int {
        let exponent = 63 - (value | 1).leadingZeroBitCount
        guard exponent >= bits else { return Int(value) }
        let shift = exponent - bits
        return (shift + 1) << bits + Int(value >> UInt64(shift)) & (1 << bits - 1)
    }

    private static func upperBound(of index: Int) -> Double {
        guard index >= 1 << bits else { return Double(index) }
        let shift = index >> bits - 1
        return Double(UInt64(1 << bits + index & (1 << bits - 1) + 1) << UInt64(shift))
    }
}
