import Hummingbird
import HummingbirdCore
import NIOCore

/// How a process speaks HTTP on its public port, below the router.
package enum PublicListener {
    /// - Parameter idleTimeout: after which a connection that says nothing, or stops in the middle of a request, is closed
    ///   and gives back what it holds.
    package static func http1(idleTimeout: Duration, metrics: MetricRegistry) -> HTTPServerBuilder {
        let refused = metrics.counter(
            "pulsegate_http_unreadable_requests_total", help: "Requests refused because they were not HTTP.")
        return .http1(
            configuration: .init(
                additionalChannelHandlers: [ContinueExpected(), UnreadableRequests(counting: refused)],
                idleTimeout: TimeAmount(idleTimeout)))
    }
}
