import Shared

/// Requests of programs, counted by the scope that let them in.
struct KeyUses: Sendable {
    private let counters: [Scope: Counter]

    init(_ metrics: MetricRegistry) {
        let counters = Scope.allCases.map { scope in
            let counter = metrics.counter(
                "pulsegate_api_key_uses_total", help: "Requests with a service key, by the scope they needed.",
                labels: [("scope", scope.rawValue)])
            return (scope, counter)
        }
        self.counters = Dictionary(uniqueKeysWithValues: counters)
    }

    func count(_ scope: Scope?) {
        guard let scope else { return }
        counters[scope]?.increment()
    }
}
