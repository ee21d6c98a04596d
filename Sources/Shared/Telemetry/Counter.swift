import Synchronization

/// A number that only grows. Counting is one atomic addition.
package final class Counter: Sendable {
    private let count = Atomic<Int>(0)

    init() {}

    package var value: Int { count.load(ordering: .relaxed) }

    package func increment(by amount: Int = 1) {
        count.wrappingAdd(amount, ordering: .relaxed)
    }
}

/// A number that goes up and down.
package final class Gauge: Sendable {
    private let bits = Atomic<UInt64>(0)

    init() {}

    package var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

    package func set(_ value: Double) {
        bits.store(value.bitPattern, ordering: .relaxed)
    }

    package func add(_ amount: Double) {
        bits.add(amount)
    }
}

/// Counts observations by upper bounds that are fixed from the start.
package final class Histogram: Sendable {
    /// Seconds, for requests: 1 ms to 10 s.
    package static let seconds: [Double] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

    /// Ascending; what is above the last is in the count alone.
    let bounds: [Double]
    private let counts: [Counter]
    private let sumBits = Atomic<UInt64>(0)

    init(bounds: [Double]) {
        self.bounds = bounds
        counts = (0...bounds.count).map { _ in Counter() }
    }

    package func observe(_ value: Double) {
        counts[bounds.firstIndex { value <= $0 } ?? bounds.count].increment()
        sumBits.add(value)
    }

    /// Observes in seconds.
    package func observe(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        observe(Double(seconds) + Double(attoseconds) * 1e-18)
    }

    package var count: Int { counts.reduce(0) { $0 + $1.value } }
    package var sum: Double { Double(bitPattern: sumBits.load(ordering: .relaxed)) }

    /// For each bound, and infinity at the end, how many observations were at most that.
    var cumulativeCounts: [Int] {
        var total = 0
        return counts.map { count in
            total += count.value
            return total
        }
    }
}

extension Atomic<UInt64> {
    /// Adds to the `Double` whose bits these are.
    fileprivate func add(_ amount: Double) {
        var bits = load(ordering: .relaxed)
        while true {
            let next = (Double(bitPattern: bits) + amount).bitPattern
            let (exchanged, original) = weakCompareExchange(expected: bits, desired: next, ordering: .relaxed)
            if exchanged { return }
            bits = original
        }
    }
}
