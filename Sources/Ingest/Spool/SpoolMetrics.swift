import Postgres
import Shared

/// What lies in the spool, and what became of what lay there.
struct SpoolMetrics: Sendable {
    let writeFailures: Counter
    let damagedParts: Counter
    let damagedBytes: Counter
    private let samples: [IngestMetrics.Outcome: Counter]
    private let uplinks: [IngestMetrics.Outcome: Counter]

    init(_ registry: MetricRegistry) {
        writeFailures = registry.counter(
            "pulsegate_spool_write_failures_total", help: "Groups of requests that the spool could not keep: 503.")
        damagedParts = registry.counter(
            "pulsegate_spool_damaged_total",
            help: "Parts of spool segments that were no whole record, or that nobody can store; set aside.")
        damagedBytes = registry.counter("pulsegate_spool_damaged_bytes_total", help: "Bytes of the spool set aside.")
        samples = IngestMetrics.byOutcome(
            registry, "pulsegate_spool_drained_samples_total", "Samples from the spool by how they ended.")
        uplinks = IngestMetrics.byOutcome(
            registry, "pulsegate_spool_drained_uplinks_total", "Uplinks from the spool by how they ended.")
    }

    /// What became of what was drained, by kind and outcome, as far as there is any.
    var drained: [String: Int] {
        let counts = [("samples", samples), ("uplinks", uplinks)].flatMap { kind, counters in
            counters.map { ("\(kind)_\($0.key.rawValue)", $0.value.value) }
        }
        return Dictionary(uniqueKeysWithValues: counts.filter { $0.1 > 0 })
    }

    func register(_ folder: SpoolFolder, in registry: MetricRegistry) {
        registry.gauge("pulsegate_spool_bytes", help: "Bytes in the spool.") { Double(folder.state.bytes) }
        registry.gauge("pulsegate_spool_records", help: "Requests in the spool.") { Double(folder.state.records) }
        registry.gauge("pulsegate_spool_segments", help: "Files in the spool.") { Double(folder.state.segments.count) }
        registry.gauge(
            "pulsegate_spool_oldest_age_seconds", help: "Age of the oldest request in the spool; 0 without any."
        ) {
            folder.state.oldest.map { max(0, Double(Timestamp.now().microseconds(since: $0)) / 1e6) } ?? 0
        }
    }

    func countDrained(samples accepted: Int, _ outcome: MetricOutcome, rejected: Int) {
        samples[IngestMetrics.outcome(outcome)]?.increment(by: accepted)
        samples[.rejected]?.increment(by: rejected)
    }

    func countDrained(_ results: [UplinkResult]) {
        for result in results { uplinks[IngestMetrics.outcome(result)]?.increment() }
    }

    func countQuarantined() {
        uplinks[.quarantined]?.increment()
    }
}
