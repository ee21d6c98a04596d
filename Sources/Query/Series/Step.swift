/// The length of a bucket, in whole microseconds.
struct Step: Hashable, Sendable {
    let microseconds: Int64

    /// In seconds, as answers show it.
    var seconds: Double { Double(microseconds) / 1_000_000 }

    /// Reads `30`, `0.5` (seconds), `250ms`, `30s`, `5m`, `1h`, `1d`, `1w`. Nil unless it comes to 1 ms … 366 days.
    init?(_ text: some StringProtocol) {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard let unit = Self.units[String(text.dropFirst(digits.count))], let number = Double(digits)
        else { return nil }
        let microseconds = (number * unit).rounded()
        guard microseconds >= 1_000, microseconds <= 366 * Self.day else { return nil }
        self.microseconds = Int64(microseconds)
    }

    private init(microseconds: Int64) {
        self.microseconds = microseconds
    }

    /// The shortest step that people use which cuts the span into at most `count` buckets.
    static func dividing(_ span: Range<Int64>, into count: Int64) -> Step {
        let sizes = usual + sequence(first: Int64(2 * day)) { $0 < .max / 4 ? $0 * 2 : nil }
        let fitting = sizes.first { Step(microseconds: $0).buckets(in: span) <= count }
        return Step(microseconds: fitting ?? .max / 4)
    }

    /// How many buckets the span touches.
    func buckets(in span: Range<Int64>) -> Int64 {
        guard !span.isEmpty else { return 0 }
        let first = span.lowerBound.floored(to: microseconds)
        return ((span.upperBound - 1).floored(to: microseconds) - first) / microseconds + 1
    }

    private static let day: Double = 86_400_000_000

    /// Microseconds in each unit of time; a bare number counts seconds.
    private static let units: [String: Double] = [
        "": 1e6, "ms": 1e3, "s": 1e6, "m": 60e6, "h": 3_600e6, "d": day, "w": 7 * day,
    ]

    /// Seconds, minutes and hours.
    private static let usual: [Int64] =
        [1, 2, 5, 10, 15, 30].map { $0 * 1_000_000 } + [1, 2, 5, 10, 15, 30].map { $0 * 60_000_000 }
        + [1, 2, 3, 6, 12, 24].map { $0 * 3_600_000_000 }
}
