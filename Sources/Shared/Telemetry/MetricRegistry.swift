import Synchronization

/// Every metric of a process, by name and labels. Ask once and keep what you get: counting then takes no lock.
///
/// Labels come from small fixed sets, never from ids of devices, users or requests. Past ``maxSeries`` of one name,
/// the others share one series whose label values are `other`, so that a mistake costs a number and not the memory.
package final class MetricRegistry: Sendable {
    package typealias Labels = [(String, String)]

    static let maxSeries = 2_000

    private let families = Mutex<[String: MetricFamily]>([:])

    package init() {}

    /// - Parameter name: `pulsegate_…_total`.
    package func counter(_ name: String, help: String, labels: Labels = []) -> Counter {
        let metric = series(name, help, .counter, labels) { .counter(Counter()) }
        guard case .counter(let counter) = metric else { preconditionFailure("\(name) is not a counter") }
        return counter
    }

    package func gauge(_ name: String, help: String, labels: Labels = []) -> Gauge {
        let metric = series(name, help, .gauge, labels) { .gauge(Gauge()) }
        guard case .gauge(let gauge) = metric else { preconditionFailure("\(name) is not a gauge") }
        return gauge
    }

    /// A number that is read when metrics are.
    package func gauge(_ name: String, help: String, labels: Labels = [], read: @escaping @Sendable () -> Double) {
        _ = series(name, help, .gauge, labels) { .reading(read) }
    }

    /// A total that is kept elsewhere and read when metrics are.
    package func counter(_ name: String, help: String, labels: Labels = [], read: @escaping @Sendable () -> Double) {
        _ = series(name, help, .counter, labels) { .reading(read) }
    }

    /// - Parameters:
    ///   - name: `pulsegate_…_seconds` or `_bytes`.
    ///   - bounds: upper bounds in ascending order, in the name's unit.
    package func histogram(
        _ name: String, help: String, labels: Labels = [], bounds: [Double] = Histogram.seconds
    ) -> Histogram {
        let metric = series(name, help, .histogram, labels) { .histogram(Histogram(bounds: bounds)) }
        guard case .histogram(let histogram) = metric else { preconditionFailure("\(name) is not a histogram") }
        return histogram
    }

    /// Prometheus' text format, version 0.0.4, in order of names.
    package func exposition() -> String {
        let families = families.withLock { $0 }
        var text = ""
        for name in families.keys.sorted() {
            families[name]?.write(name, to: &text)
        }
        return text
    }

    private func series(
        _ name: String, _ help: String, _ kind: MetricFamily.Kind, _ labels: Labels, make: () -> Metric
    ) -> Metric {
        precondition(
            MetricFamily.isName(name) && labels.allSatisfy { MetricFamily.isName($0.0) }, "\(name): not a name")
        return families.withLock { families in
            var family = families[name] ?? MetricFamily(kind: kind, help: help)
            precondition(family.kind == kind, "\(name) is a \(family.kind.rawValue) already")
            let metric = family.series(labels, limit: Self.maxSeries, make: make)
            families[name] = family
            return metric
        }
    }
}
