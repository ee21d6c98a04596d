enum Metric: Sendable {
    case counter(Counter)
    case gauge(Gauge)
    case histogram(Histogram)
    case reading(@Sendable () -> Double)
}

/// The series of one name.
struct MetricFamily: Sendable {
    enum Kind: String, Sendable {
        case counter, gauge, histogram
    }

    let kind: Kind
    let help: String
    /// By their labels as written, `a="1",b="2"`.
    private var series: [String: Metric] = [:]

    init(kind: Kind, help: String) {
        self.kind = kind
        self.help = help
    }

    mutating func series(_ labels: MetricRegistry.Labels, limit: Int, make: () -> Metric) -> Metric {
        var key = Self.text(labels)
        if let known = series[key] { return known }
        if series.count >= limit {
            key = Self.text(labels.map { ($0.0, "other") })
            if let known = series[key] { return known }
        }
        let metric = make()
        series[key] = metric
        return metric
    }

    func write(_ name: String, to text: inout String) {
        text += "# HELP \(name) \(Self.escaped(help, quotes: false))\n# TYPE \(name) \(kind.rawValue)\n"
        for (labels, metric) in series.sorted(by: { $0.key < $1.key }) {
            switch metric {
            case .counter(let counter): Self.line(name, labels, String(counter.value), &text)
            case .gauge(let gauge): Self.line(name, labels, Self.number(gauge.value), &text)
            case .reading(let read): Self.line(name, labels, Self.number(read()), &text)
            case .histogram(let histogram): Self.write(histogram, name, labels, &text)
            }
        }
    }

    static func isName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.first?.isDecimalDigit == false
            && name.utf8.allSatisfy { $0.isBase62 || $0 == UInt8(ascii: "_") }
    }

    private static func write(_ histogram: Histogram, _ name: String, _ labels: String, _ text: inout String) {
        let bounds = histogram.bounds.map(number) + ["+Inf"]
        let counts = histogram.cumulativeCounts
        let separator = labels.isEmpty ? "" : ","
        for (bound, count) in zip(bounds, counts) {
            line(name + "_bucket", "\(labels)\(separator)le=\"\(bound)\"", String(count), &text)
        }
        line(name + "_sum", labels, number(histogram.sum), &text)
        line(name + "_count", labels, String(counts.last ?? 0), &text)
    }

    private static func line(_ name: String, _ labels: String, _ value: String, _ text: inout String) {
        text += labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
    }

    private static func text(_ labels: MetricRegistry.Labels) -> String {
        labels.map { "\($0.0)=\"\(escaped($0.1, quotes: true))\"" }.joined(separator: ",")
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        let escaped = text.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
        return quotes ? escaped.replacing("\"", with: "\\\"") : escaped
    }

    /// Go's spelling of numbers, which Prometheus reads.
    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if let whole = Int(exactly: value) { return String(whole) }
        return "\(value)"
    }
}
