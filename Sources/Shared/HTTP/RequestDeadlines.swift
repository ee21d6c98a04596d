import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Bounds how long a client may take over one request, whatever it does to look busy: the idle timeout starts anew with
/// each byte, so a byte a second would hold a connection, and what it holds of the budget of bodies, for ever.
///
/// Too slow with head or body: 408 (RFC 9110 §15.5.9), or 503 when the process stops meanwhile, by way of `UnreadableRequests`,
/// which has to stand behind this handler. Too slow in taking the answer, or in sending a body whose answer it has: the
/// connection is closed. Time that we need ourselves, for the requests before, is nobody's fault.
package final class RequestDeadlines: ChannelDuplexHandler, RemovableChannelHandler {
    package typealias InboundIn = HTTPRequestPart
    package typealias InboundOut = HTTPRequestPart
    package typealias OutboundIn = HTTPResponsePart
    package typealias OutboundOut = HTTPResponsePart

    /// Fired at a connection: the process can't wait for the rest of a request any longer.
    struct LastCall: Sendable {}

    package struct Limits: Sendable {
        /// From a head's first bytes to its end.
        let head: Duration
        /// From the end of the head to the end of the body.
        let body: Duration
        /// For the part of an answer that waits to be taken, some 64 KiB.
        let answer: Duration
        /// Between the refusal and the end of the connection, so that the client gets to read it.
        let lingering: Duration

        package init(
            head: Duration = .seconds(10), body: Duration = .seconds(60), answer: Duration = .seconds(60),
            lingering: Duration = .seconds(2)
        ) {
            (self.head, self.body, self.answer, self.lingering) = (head, body, answer, lingering)
        }
    }

    private let limits: Limits
    private let slow: SlowClients
    private var state = ExchangeState()
    private var deadline: (phase: ExchangeState.Phase, task: Scheduled<Void>)?
    private var stalled: Scheduled<Void>?

    init(_ limits: Limits, counting slow: SlowClients) {
        self.limits = limits
        self.slow = slow
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard state.received(unwrapInboundIn(data)) else { return } // of a request that was refused
        context.fireChannelRead(data)
    }

    /// Only now, since most requests come whole in one reading and need no clock.
    package func channelReadComplete(context: ChannelHandlerContext) {
        state.receivedAll()
        update(context)
        context.fireChannelReadComplete()
    }

    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch state.willWrite(unwrapOutboundIn(data)) {
        case .drop: promise?.succeed()
        case .pass:
            context.write(data, promise: promise)
            update(context)
        case .passAndClose:
            context.write(data, promise: promise)
            close(context, after: limits.lingering)
        }
    }

    /// Unwritable: the client leaves what was written before where it is.
    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        stalled?.cancel()
        stalled = nil
        if !context.channel.isWritable {
            stalled = schedule(context, limits.answer) { [slow] context in
                slow.count(.answer)
                context.close(promise: nil)
            }
        }
        context.fireChannelWritabilityChanged()
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event {
            state.inputClosed()
            update(context)
        }
        if event is LastCall, state.awaited != nil, state.refuse() {
            update(context)
            context.fireErrorCaught(ProcessStops())
        }
        context.fireUserInboundEventTriggered(event)
    }

    package func channelInactive(context: ChannelHandlerContext) {
        cancelAll()
        context.fireChannelInactive()
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        cancelAll()
    }

    /// Starts the clock when a phase begins that depends on the client alone, and stops it when the phase ends.
    private func update(_ context: ChannelHandlerContext) {
        let phase = state.awaited
        guard phase != deadline?.phase else { return }
        deadline?.task.cancel()
        deadline = nil
        guard let phase else { return }
        let limit = phase.isHead ? limits.head : limits.body
        deadline = (phase, schedule(context, limit) { [self] context in expire(phase, context) })
    }

    private func expire(_ phase: ExchangeState.Phase, _ context: ChannelHandlerContext) {
        slow.count(phase.isHead ? .head : .body)
        if state.refuse() {
            context.fireErrorCaught(RequestTooSlow())
        } else {
            context.close(promise: nil)
        }
    }

    private func close(_ context: ChannelHandlerContext, after delay: Duration) {
        cancelAll()
        stalled = schedule(context, delay) { $0.close(promise: nil) }
    }

    private func schedule(
        _ context: ChannelHandlerContext, _ delay: Duration, _ action: @escaping (ChannelHandlerContext) -> Void
    ) -> Scheduled<Void> {
        context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(delay)) { action(context) }
    }

    private func cancelAll() {
        deadline?.task.cancel()
        stalled?.cancel()
        (deadline, stalled) = (nil, nil)
    }
}

/// A client took longer over its request than any that means it does.
struct RequestTooSlow: Error {}

/// A request did not arrive before the process had to stop.
struct ProcessStops: Error {}

/// Connections closed because the client was too slow, by what it was slow with.
struct SlowClients: Sendable {
    enum Phase: String, CaseIterable {
        case head, body, answer
    }

    private let counters: [Phase: Counter]

    init(_ metrics: MetricRegistry) {
        let counters = Phase.allCases.map { phase in
            let counter = metrics.counter(
                "pulsegate_http_slow_clients_total", help: "Connections closed because the client took too long.",
                labels: [("phase", phase.rawValue)])
            return (phase, counter)
        }
        self.counters = Dictionary(uniqueKeysWithValues: counters)
    }

    func count(_ phase: Phase) {
        counters[phase]?.increment()
    }
}
