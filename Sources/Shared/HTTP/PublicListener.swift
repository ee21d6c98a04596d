import Hummingbird
import HummingbirdCore
import NIOCore

/// How a process speaks HTTP on its public port, below the router.
package enum PublicListener {
    /// - Parameters:
    ///   - idleTimeout: after which a connection that says nothing is closed, though not before the deadlines: who stops in the
    ///     middle of a request is told so.
    ///   - deadlines: for what a client that is never idle may take.
    ///   - drain: from when on every answer is the last of its connection.
    static func connections(
        idleTimeout: Duration, deadlines: RequestDeadlines.Limits = .init(), drain: DrainMarker = DrainMarker(),
        metrics: MetricRegistry, responder: @escaping HTTPChannelHandler.Responder
    ) -> OnConnectionLoop<HTTP1Channel> {
        let refused = metrics.counter(
            "pulsegate_http_unreadable_requests_total", help: "Requests refused because they were not HTTP.")
        let slow = SlowClients(metrics)
        let idleTimeout = max(idleTimeout, max(deadlines.head, deadlines.body, deadlines.answer) + .seconds(5))
        let configuration = HTTP1Channel.Configuration(
            additionalChannelHandlers: [
                ConnectionEnding(drain), RequestDeadlines(deadlines, counting: slow), ContinueExpected(),
                UnreadableRequests(counting: refused),
            ],
            idleTimeout: TimeAmount(idleTimeout))
        return OnConnectionLoop(base: HTTP1Channel(responder: responder, configuration: configuration))
    }
}
