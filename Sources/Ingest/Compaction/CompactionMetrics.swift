import Foundation
import Shared
import Synchronization

/// What compaction does, and whether it keeps pace.
struct CompactionMetrics: Sendable {
    /// What a pass left in the log: too little to be worth it, or of an owner that failed.
    struct Backlog {
        var requests: Int64 = 0
        var samples: Int64 = 0
        /// Of the oldest request.
        var seconds: Double = 0

        mutating func add(_ one: Compaction.Backlog) {
            requests += one.requests
            samples += one.samples
            seconds = max(seconds, one.seconds)
        }
    }

    let requests: Counter
    let samples: Counter
    let chunksWritten: Counter
    let chunksMerged: Counter
    let failures: Counter
    private let waitingRequests: Gauge
    private let waitingSamples: Gauge
    private let waitingSeconds: Gauge
    private let lastPass: Gauge

    init(_ registry: MetricRegistry) {
        requests = registry.counter(
            "pulsegate_requests_compacted_total", help: "Log rows that compaction moved into chunks.")
        samples = registry.counter("pulsegate_samples_compacted_total", help: "Samples that compaction moved.")
        chunksWritten = registry.counter(
            "pulsegate_chunks_written_total", help: "Chunks that compaction and merging wrote.")
        chunksMerged = registry.counter("pulsegate_chunks_merged_total", help: "Small chunks that became larger ones.")
        failures = registry.counter(
            "pulsegate_compaction_failures_total", help: "Owners or merges that failed in a pass.")
        waitingRequests = registry.gauge(
            "pulsegate_compaction_backlog_requests", help: "Log rows that the last pass left.")
        waitingSamples = registry.gauge(
            "pulsegate_compaction_backlog_samples", help: "Samples that the last pass left.")
        waitingSeconds = registry.gauge(
            "pulsegate_compaction_backlog_age_seconds",
            help: "Age of the oldest log row that the last pass left; far beyond 900, compaction lags.")
        lastPass = registry.gauge(
            "pulsegate_compaction_last_pass_timestamp_seconds", help: "When a pass last reached its end, Unix time.")
    }

    func set(_ backlog: Backlog) {
        waitingRequests.set(Double(backlog.requests))
        waitingSamples.set(Double(backlog.samples))
        waitingSeconds.set(backlog.seconds)
    }

    func succeeded() {
        lastPass.set(Date().timeIntervalSince1970)
    }
}
