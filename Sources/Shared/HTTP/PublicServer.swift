import Glibc
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTPTypes
import NIOPosix
import ServiceLifecycle

/// Serves a process's public port, on an address of its own or on a socket that was handed over, and stops so that no request that
/// arrived goes without an answer (docs/decisions/2026-11-21-listener.md):
///
/// 1. Told to stop, it goes on accepting for the grace period, so that balancers notice; every answer ends its connection.
/// 2. It accepts no more, ends connections that ask for nothing, and finishes the requests that are under way.
/// 3. What is not finished in time is refused, or cancelled, with an answer.
package struct PublicServer: Service, CustomStringConvertible {
    /// The listener is gone though nobody closed it.
    struct ListenerLost: Error {}

    /// What happens after SIGTERM to those who are not done. What stops after this service needs the rest of the 20 s that a
    /// process has.
    private enum Patience {
        /// Then a request that is still arriving is refused.
        static let arriving = Duration.seconds(14)
        /// From then on, until one that is still worked on is cancelled.
        static let working = Duration.seconds(2)
        /// From then on, until everything is closed.
        static let closing = Duration.seconds(1)
    }

    private struct Accepted: Sendable {
        let channel: any Channel
        /// Nil for one that is refused.
        let connection: NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>?
    }

    /// Connections that wait to be accepted; the kernel has a bound of its own, net.core.somaxconn.
    private static let queue: Int32 = 4_096

    private let port: PublicPort
    private let http: OnConnectionLoop<HTTP1Channel>
    private let limit: ConnectionLimit
    private let listening: ListeningMarker
    private let acceptFailures: Counter
    private let logger: Logger
    private let loops = MultiThreadedEventLoopGroup.singleton

    /// - Parameter edge: the router with everything around it.
    package init<Edge: HTTPResponder>(
        _ edge: Edge, on port: PublicPort, drain: DrainMarker, listening: ListeningMarker, metrics: MetricRegistry,
        logger: Logger
    ) where Edge.Context: InitializableFromSource<ApplicationRequestContextSource> {
        self.port = port
        self.listening = listening
        self.logger = logger
        limit = ConnectionLimit(port.maxConnections, descriptors: port.descriptors, metrics)
        acceptFailures = metrics.counter(
            "pulsegate_http_accept_failures_total",
            help: "Times that no connection could be accepted, for want of descriptors or memory.")
        http = PublicListener.connections(
            idleTimeout: port.idleTimeout, deadlines: port.deadlines, drain: drain, metrics: metrics,
            responder: edge.onConnections(logger: logger))
    }

    package func run() async throws {
        let open = OpenConnections()
        let listener = try await listen(open)
        if limit.limit < port.maxConnections {
            logger.warning(
                "fewer connections than set: the limit on open files is too low",
                metadata: ["connections": "\(limit.limit)", "open_files": "\(port.descriptors)"])
        }
        logger.info("listening", metadata: ["address": "\(listener.channel.localAddress.map { "\($0)" } ?? "unknown")"])
        listening.mark()
        try await listener.executeThenClose { arriving in
            try await withThrowingDiscardingTaskGroup { group in
                group.addTask { await stopAccepting(listener.channel, open) }
                for try await accepted in arriving {
                    open.taken(accepted.channel, isServed: accepted.connection != nil)
                    guard let connection = accepted.connection else { continue }
                    group.addTask {
                        await http.handle(value: connection, logger: logger)
                        open.ended(accepted.channel)
                    }
                }
                try Task.checkCancellation()
                guard Task.isShuttingDownGracefully else { throw ListenerLost() }
                if await !finish(open) {
                    group.cancelAll()
                    if await !open.areGone(within: Patience.closing, on: loops.next()) { open.close() }
                }
            }
        }
    }

    /// Closes the listener when the process was told to stop and the grace period is over; early when it was handed over and nobody
    /// is connected, since then there is nobody to be disturbed and whoever comes next waits in its queue.
    private func stopAccepting(_ listener: any Channel, _ open: OpenConnections) async {
        guard (try? await gracefulShutdown()) != nil else { return }
        switch port.place {
        case .address: try? await Task.sleep(for: port.grace)
        case .handedOver: _ = await open.areGone(within: port.grace, on: listener.eventLoop)
        }
        listener.pipeline.fireUserInboundEventTriggered(AcceptGate.Shut())
        try? await listener.setOption(.autoRead, value: false).get()
        // A listener that closes takes with it those whom it has accepted and nobody has taken over yet.
        _ = await open.areTaken(within: .seconds(1), on: listener.eventLoop)
        // Of this process's descriptor alone: shutdown(2) would end the socket for the next process too.
        try? await listener.close()
    }

    /// - Returns: whether all are answered and gone.
    private func finish(_ open: OpenConnections) async -> Bool {
        open.tell(ConnectionEnding.EndWhenIdle())
        if await open.areGone(within: Patience.arriving - port.grace, on: loops.next()) { return true }
        logger.warning("requests are still arriving, or worked on, and the process has to stop")
        open.tell(RequestDeadlines.LastCall())
        return await open.areGone(within: Patience.working, on: loops.next())
    }

    /// Returns when each thread that serves connections has come round: as long as none is stuck.
    @Sendable package func turn() async {
        for loop in loops.makeIterator() { try? await loop.submit {}.get() }
    }

    /// Service groups log their services.
    package var description: String { "PublicServer" }
}

extension PublicServer {
    private func listen(_ open: OpenConnections) async throws -> NIOAsyncChannel<Accepted, Never> {
        let bootstrap = ServerBootstrap(group: loops)
            .serverChannelOption(.backlog, value: Self.queue)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            // Each connection keeps what it reads into, and there may be ten thousand.
            .childChannelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(minimum: 1 << 10, initial: 4 << 10, maximum: 16 << 10)
            )
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptGate(open) { couldNotAccept($0) })
                }
            }
        switch port.place {
        case .address(let host, let port):
            return try await bootstrap.bind(host: host, port: port) { receive($0) }
        case .handedOver(let socket):
            let listener = try await bootstrap.bind(socket.descriptor) { receive($0) }
            // SwiftNIO has just made the queue one of 128.
            Glibc.listen(socket.descriptor, Self.queue)
            return listener
        }
    }

    private func couldNotAccept(_ error: any Error) {
        acceptFailures.increment()
        logger.error("no connection can be accepted", metadata: ["reason": "\(error)"])
    }

    /// Runs on the connection's loop.
    private func receive(_ channel: any Channel) -> EventLoopFuture<Accepted> {
        switch limit.admit(channel) {
        case .serve:
            return http.setup(channel: channel, logger: logger).map { Accepted(channel: channel, connection: $0) }
                .flatMapErrorThrowing { error in
                    channel.close(promise: nil)
                    throw error
                }
        case .refuse:
            return channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(RefusedConnection())
                return Accepted(channel: channel, connection: nil)
            }
        case .drop:
            channel.close(promise: nil)
            return channel.eventLoop.makeSucceededFuture(Accepted(channel: channel, connection: nil))
        }
    }
}
