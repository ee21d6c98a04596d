import HTTPTypes
import Synchronization

/// Counts requests by route template. The templates are known from the start, so nothing that a client invents becomes
/// a label.
struct RequestMetrics: Sendable {
    private struct Key: Hashable {
        let method: String
        let template: String?
    }

    private let routes: [Key: RouteMetrics]
    private let unmatched: RouteMetrics
    private let inFlight: Gauge

    init(_ table: RouteTable, _ registry: MetricRegistry) {
        inFlight = registry.gauge("pulsegate_http_requests_in_flight", help: "Requests being answered.")
        unmatched = RouteMetrics(registry, method: "any", route: "unmatched")
        routes = table.templates.reduce(into: [:]) { routes, route in
            let method = route.method.rawValue
            routes[Key(method: method, template: route.template)] = RouteMetrics(
                registry, method: method, route: route.template)
        }
    }

    func began() {
        inFlight.add(1)
    }

    func abandoned() {
        inFlight.add(-1)
    }

    /// - Parameter duration: until the head of the response is known; a streamed body takes longer.
    func ended(
        _ method: HTTPRequest.Method, _ template: String?, _ status: HTTPResponse.Status, _ duration: Duration
    ) {
        inFlight.add(-1)
        let route = routes[Key(method: method.rawValue, template: template)] ?? unmatched
        route.count(status.code, duration)
    }
}

/// The metrics of one route, made when it is first asked for: most routes of most processes never are.
private final class RouteMetrics: Sendable {
    private struct State {
        var durations: Histogram?
        var counters: [Int: Counter] = [:]
    }

    private let registry: MetricRegistry
    private let labels: [(String, String)]
    private let state = Mutex(State())

    init(_ registry: MetricRegistry, method: String, route: String) {
        self.registry = registry
        labels = [("method", method), ("route", route)]
    }

    func count(_ status: Int, _ duration: Duration) {
        let (durations, counter) = state.withLock { state in
            let durations = state.durations ?? makeHistogram()
            let counter = state.counters[status] ?? makeCounter(status)
            state.durations = durations
            state.counters[status] = counter
            return (durations, counter)
        }
        durations.observe(duration)
        counter.increment()
    }

    private func makeHistogram() -> Histogram {
        registry.histogram(
            "pulsegate_http_request_duration_seconds", help: "Time until a response's head was known.", labels: labels)
    }

    private func makeCounter(_ status: Int) -> Counter {
        registry.counter(
            "pulsegate_http_requests_total", help: "Requests answered.", labels: labels + [("status", "\(status)")])
    }
}
