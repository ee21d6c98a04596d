import NIOCore
import Synchronization

/// How many connections a public port serves at once. Each takes a descriptor and some ten kilobytes, and without a bound whoever
/// opens many would take them from everybody.
final class ConnectionLimit: Sendable {
    enum Verdict {
        case serve
        /// Tell it why, and close.
        case refuse
        /// So many are being told that this one is closed without a word.
        case drop
    }

    /// Refusals under way at once, at most; each holds a descriptor until its client has heard.
    private let refusals: Int

    /// Connections served at once.
    let limit: Int
    private let open = Atomic(0)
    private let refusing = Atomic(0)
    private let refused: Counter

    /// - Parameters:
    ///   - wanted: connections.
    ///   - descriptors: that the process may have open, for connections and everything else.
    init(_ wanted: Int, descriptors: Int, _ metrics: MetricRegistry) {
        limit = max(1, min(wanted, descriptors - min(1_024, descriptors / 2)))
        refusals = max(1, min(128, (descriptors - limit) / 4))
        refused = metrics.counter(
            "pulsegate_http_connections_refused_total", help: "Connections beyond the limit on connections.")
        metrics.gauge("pulsegate_http_connections", help: "Connections served at the moment.") { [self] in
            Double(open.load(ordering: .relaxed))
        }
    }

    /// Counts the connection until it is closed.
    func admit(_ channel: any Channel) -> Verdict {
        if enter(open, limit) {
            channel.closeFuture.whenComplete { [self] _ in open.subtract(1, ordering: .relaxed) }
            return .serve
        }
        refused.increment()
        guard enter(refusing, refusals) else { return .drop }
        channel.closeFuture.whenComplete { [self] _ in refusing.subtract(1, ordering: .relaxed) }
        return .refuse
    }

    private func enter(_ count: borrowing Atomic<Int>, _ limit: Int) -> Bool {
        if count.add(1, ordering: .relaxed).newValue <= limit { return true }
        count.subtract(1, ordering: .relaxed)
        return false
    }
}
