/// What becomes of the samples of one bucket.
enum Aggregation: String, CaseIterable, Sendable {
    case avg, min, max, sum, count
}

extension Samples {
    /// One point for each bucket that holds a sample, at the bucket's start.
    ///
    /// Buckets are `step` microseconds long and counted from the Unix epoch, so equal steps give equal buckets whatever
    /// the span; the first and last hold only what lies within the span.
    func bucketed(by step: Int64, _ aggregation: Aggregation) -> Samples {
        var points = Samples()
        var index = 0
        while index < count {
            let start = times[index].floored(to: step)
            var bucket = Bucket(values[index])
            index += 1
            while index < count, times[index] < start &+ step {
                bucket.add(values[index])
                index += 1
            }
            points.append(start, bucket.value(of: aggregation))
        }
        return points
    }
}

private struct Bucket {
    var count = 1
    var sum: Double
    var smallest: Double
    var largest: Double

    init(_ first: Double) {
        (sum, smallest, largest) = (first, first, first)
    }

    mutating func add(_ value: Double) {
        count += 1
        sum += value
        smallest = Swift.min(smallest, value)
        largest = Swift.max(largest, value)
    }

    func value(of aggregation: Aggregation) -> Double {
        switch aggregation {
        case .avg: sum / Double(count)
        case .min: smallest
        case .max: largest
        case .sum: sum
        case .count: Double(count)
        }
    }
}

extension Int64 {
    /// The largest multiple of `step` that isn't above, also below zero.
    func floored(to step: Int64) -> Int64 {
        let remainder = self % step
        return remainder < 0 ? self &- remainder &- step : self - remainder
    }
}
