import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Ends a connection gently: behind an answer that says `Connection: close`, with what the client still sends taken in for a
/// while, since closing a socket that holds unread bytes would take the answer from the client again (RFC 9112 §9.6). From
/// the moment the process is told to stop every answer says so; ``EndWhenIdle`` ends connections that ask for nothing.
///
/// Stands next to the codec, so that it sees the answers of all handlers behind it.
final class ConnectionEnding: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// Fired at a connection: close as soon as nothing is under way.
    struct EndWhenIdle: Sendable {}

    /// How long the client may take to close its side, or to say the first word on a connection it has just made.
    private static let patience = TimeAmount.seconds(2)
    /// Longer than bytes that have arrived wait to be read.
    private static let aMoment = TimeAmount.milliseconds(20)

    private let drain: DrainMarker
    private var state = ConnectionEnd()
    private var endsWhenIdle = false
    /// The last answer went out; the client has its time to read it.
    private var isEnding = false
    private var opened = NIODeadline.uptimeNanoseconds(0)
    private var closing: Scheduled<Void>?

    init(_ drain: DrainMarker) {
        self.drain = drain
    }

    func channelActive(context: ChannelHandlerContext) {
        opened = context.eventLoop.now
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        guard state.received(part) else { return }
        if case .head(let head) = part, head.asksToEnd { state.willEnd() }
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        state.receivedAll()
        context.fireChannelReadComplete()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head): context.write(finished(head).map(wrapOutboundOut) ?? data, promise: promise)
        case .body: context.write(data, promise: promise)
        case .end:
            context.write(data, promise: promise)
            if state.answered() { end(context) } else { closeIfIdle(context) }
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is EndWhenIdle else { return context.fireUserInboundEventTriggered(event) }
        endsWhenIdle = true
        closeIfIdle(context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        closing?.cancel()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        closing?.cancel()
    }

    /// With what has to be added, if anything.
    private func finished(_ head: HTTPResponse) -> HTTPResponsePart? {
        guard head.status.kind != .informational else { return nil }
        let saysClose = head.headerFields[.connection] == "close" // by ourselves
        guard state.willAnswer(saysClose: saysClose, isStopping: drain.isDraining) else { return nil }
        var head = head
        head.headerFields[.connection] = "close"
        return .head(head)
    }

    /// The last answer is written.
    private func end(_ context: ChannelHandlerContext) {
        isEnding = true
        context.flush()
        context.close(mode: .output, promise: nil)
        schedule(context, in: Self.patience) { $0.close(promise: nil) }
    }

    /// Not at once: a request may lie in the socket unread. One that is on its way through the network is lost all the same, and
    /// its sender knows that it was not answered: no server can close an idle connection otherwise.
    private func closeIfIdle(_ context: ChannelHandlerContext) {
        guard endsWhenIdle, state.isIdle, !isEnding else { return }
        let rest = state.isUnused ? opened + Self.patience - context.eventLoop.now : .zero
        schedule(context, in: max(rest, Self.aMoment)) { [self] context in
            if state.isIdle { context.close(promise: nil) }
        }
    }

    private func schedule(
        _ context: ChannelHandlerContext, in delay: TimeAmount, _ action: @escaping (ChannelHandlerContext) -> Void
    ) {
        closing?.cancel()
        closing = context.eventLoop.assumeIsolated().scheduleTask(in: delay) { action(context) }
    }
}

extension HTTPRequest {
    /// `Connection: close`, in any case and among other options (RFC 9112 §9.6).
    fileprivate var asksToEnd: Bool {
        guard let options = headerFields[.connection] else { return false }
        return options.split(separator: ",").contains { option in
            option.drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " && $0 != "\t" }.lowercased() == "close"
        }
    }
}
