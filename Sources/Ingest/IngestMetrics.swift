import Shared

/// What ingest counts. Every record ends in exactly one outcome.
struct IngestMetrics: Sendable {
    enum Outcome: String, CaseIterable {
        case stored, duplicate, orphan, spooled, quarantined, rejected
    }

    let refusedCredentials: Counter
    let compaction: CompactionMetrics
    let spool: SpoolMetrics
    let orphansForgotten: Counter
    let quarantineDropped: Counter
    private let leavesDropped: Counter

    private let samples: [Outcome: Counter]
    private let uplinks: [Outcome: Counter]
    private let rejectedSamples: [RowRejection.Code: Counter]
    private let refusedWebhooks: [RefusalReason: Counter]
    init(_ registry: MetricRegistry) {
        refusedCredentials = registry.counter(
            "pulsegate_store_key_refusals_total", help: "Requests refused for their store key.")
        compaction = CompactionMetrics(registry)
        spool = SpoolMetrics(registry)
        orphansForgotten = registry.counter(
            "pulsegate_orphans_forgotten_total", help: "Unknown devices dropped, quiet for long or beyond the bound.")
        quarantineDropped = registry.counter(
            "pulsegate_quarantine_dropped_total", help: "Quarantined bodies dropped beyond the bound.")
        leavesDropped = registry.counter(
            "pulsegate_payload_leaves_dropped_total", help: "Numbers of payloads that could not become samples.")
        samples = Self.byOutcome(registry, "pulsegate_samples_total", "Samples by how they ended.")
        uplinks = Self.byOutcome(registry, "pulsegate_uplinks_total", "Uplinks by how they ended.")
        rejectedSamples = RowRejection.Code.allCases.reduce(into: [:]) { counters, code in
            counters[code] = registry.counter(
                "pulsegate_samples_rejected_total", help: "Samples rejected, by reason.",
                labels: [("reason", code.rawValue)])
        }
        refusedWebhooks = RefusalReason.allCases.reduce(into: [:]) { counters, reason in
            counters[reason] = registry.counter(
                "pulsegate_webhook_refusals_total", help: "Webhook requests refused, by reason.",
                labels: [("reason", reason.rawValue)])
        }
    }

    func countSamples(_ accepted: Int = 0, _ outcome: MetricOutcome = .stored, rejected: [RowRejection]) {
        samples[Self.outcome(outcome)]?.increment(by: accepted)
        count(rejected)
    }

    func countSpooled(samples accepted: Int, rejected: [RowRejection]) {
        samples[.spooled]?.increment(by: accepted)
        count(rejected)
    }

    private func count(_ rejected: [RowRejection]) {
        samples[.rejected]?.increment(by: rejected.count)
        for rejection in rejected { rejectedSamples[rejection.code]?.increment() }
    }

    func count(_ result: UplinkResult) {
        count(Self.outcome(result))
    }

    static func outcome(_ outcome: MetricOutcome) -> Outcome {
        switch outcome {
        case .stored: .stored
        case .duplicate: .duplicate
        case .refused: .rejected
        }
    }

    static func outcome(_ result: UplinkResult) -> Outcome {
        switch result {
        case .taken(.stored, _, _): .stored
        case .taken(.duplicate, _, _): .duplicate
        case .taken(.orphan, _, _): .orphan
        case .taken(.refused, _, _), .rejected: .rejected
        case .spooled: .spooled
        }
    }

    /// Counts one uplink.
    func count(_ outcome: Outcome) {
        uplinks[outcome]?.increment()
    }

    func countDroppedLeaves(of uplinks: [Result<Uplink, UplinkRejection>]) {
        for case .success(let uplink) in uplinks where uplink.leavesDropped > 0 {
            leavesDropped.increment(by: uplink.leavesDropped)
        }
    }

    func countRefusal(_ reason: RefusalReason) {
        refusedWebhooks[reason]?.increment()
    }

    static func byOutcome(_ registry: MetricRegistry, _ name: String, _ help: String) -> [Outcome: Counter] {
        Outcome.allCases.reduce(into: [:]) { counters, outcome in
            counters[outcome] = registry.counter(name, help: help, labels: [("outcome", outcome.rawValue)])
        }
    }
}
