import NIOCore
import Synchronization

/// Every connection of a listener, from the moment it is accepted until nobody works for it any more.
final class OpenConnections: Sendable {
    private enum Stage {
        /// The kernel's handshake is over, so its client counts on us, and nobody serves it yet.
        case accepted
        case served
        /// Beyond the limit.
        case refused
    }

    private struct State {
        var connections: [ObjectIdentifier: (channel: any Channel, stage: Stage)] = [:]
        var waiting: [(until: @Sendable (State) -> Bool, answer: OneAnswer<Bool, Never>)] = []

        var hasUntaken: Bool { connections.values.contains { $0.stage == .accepted } }
    }

    private let state = Mutex(State())

    func accepted(_ channel: any Channel) {
        state.withLock { $0.connections[ObjectIdentifier(channel)] = (channel, .accepted) }
        // One that is served ends when its last request does, which may be later.
        channel.closeFuture.whenComplete { [self] _ in
            change { state in
                guard state.connections[ObjectIdentifier(channel)]?.stage != .served else { return }
                state.connections[ObjectIdentifier(channel)] = nil
            }
        }
    }

    /// Somebody serves it now, or it is being refused. Does nothing for one that is closed already.
    func taken(_ channel: any Channel, isServed: Bool) {
        change { $0.connections[ObjectIdentifier(channel)]?.stage = isServed ? .served : .refused }
    }

    /// Nobody works for it any more.
    func ended(_ channel: any Channel) {
        change { $0.connections[ObjectIdentifier(channel)] = nil }
    }

    /// - Returns: whether it came to that in time: no connection is left.
    func areGone(within limit: Duration, on loop: any EventLoop) async -> Bool {
        await reached(within: limit, on: loop) { $0.connections.isEmpty }
    }

    /// - Returns: whether it came to that in time: each that was accepted is served or refused.
    func areTaken(within limit: Duration, on loop: any EventLoop) async -> Bool {
        await reached(within: limit, on: loop) { !$0.hasUntaken }
    }

    func tell(_ event: any Sendable) {
        for channel in channels { channel.pipeline.fireUserInboundEventTriggered(event) }
    }

    func close() {
        for channel in channels { channel.close(promise: nil) }
    }

    private var channels: [any Channel] {
        state.withLock { $0.connections.values.map(\.channel) }
    }

    private func reached(
        within limit: Duration, on loop: any EventLoop, _ goal: @escaping @Sendable (State) -> Bool
    ) async -> Bool {
        var timer: Scheduled<Void>?
        defer { timer?.cancel() }
        return await withCheckedContinuation { (waiting: CheckedContinuation<Bool, Never>) in
            let answer = OneAnswer(waiting)
            timer = loop.scheduleTask(in: TimeAmount(limit)) { answer.give(.success(false)) }
            change { $0.waiting.append((goal, answer)) }
        }
    }

    private func change(_ body: (inout State) -> Void) {
        let reached = state.withLock { state in
            body(&state)
            guard !state.waiting.isEmpty else { return [OneAnswer<Bool, Never>]() }
            let waiting = state.waiting
            state.waiting = waiting.filter { !$0.until(state) }
            return waiting.filter { $0.until(state) }.map(\.answer)
        }
        for answer in reached { answer.give(.success(true)) }
    }
}

/// Stands in front of a listener: tells ``OpenConnections`` who comes, and lets nobody in any more when told so.
final class AcceptGate: ChannelDuplexHandler {
    typealias InboundIn = any Channel
    typealias OutboundIn = Never

    /// Fired at the listener: accept no more, and leave who waits in the socket's queue there.
    struct Shut: Sendable {}

    private let open: OpenConnections
    private let failed: @Sendable (any Error) -> Void
    private var isShut = false

    /// - Parameter failed: accepting did; for want of descriptors or memory, mostly. It is tried again a second later.
    init(_ open: OpenConnections, failed: @escaping @Sendable (any Error) -> Void) {
        self.open = open
        self.failed = failed
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        open.accepted(unwrapInboundIn(data))
        context.fireChannelRead(data)
    }

    func read(context: ChannelHandlerContext) {
        if !isShut { context.read() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        failed(error)
        context.fireErrorCaught(error)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is Shut { isShut = true }
        context.fireUserInboundEventTriggered(event)
    }
}
