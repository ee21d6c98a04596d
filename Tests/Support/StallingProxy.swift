import Glibc
import Postgres
import Synchronization

/// A TCP proxy in front of the server whose wire can be held or cut, for tests of networks that fail.
package final class StallingProxy: Sendable {
    private struct Wire {
        var isHeld = false
        var isCut = false
        var sockets: [Int32] = []
        /// Bytes from the client that have to pass before the answers are held, if any.
        var holdAnswersAfter: [UInt8]?
        /// A text in a message of a client that breaks its connection, once.
        var breaking: (text: [UInt8], when: Break)?
        /// Server ends of connections that break at the next answer.
        var doomed: Set<Int32> = []
        /// How long each piece is kept before it goes on.
        var latency: Duration?
        /// Pieces from clients that are still to come until it is done.
        var alarm: (pieces: Int, ring: @Sendable () -> Void)?
    }

    private struct NoPort: Error {}

    /// How a connection ends at a client's message.
    package enum Break: Sendable {
        /// The message does not reach the server.
        case before
        /// The server has heard and answered, and the answer does not reach the client.
        case after
    }

    private let wire = Mutex(Wire())
    private let listener: Int32
    private let target: UInt16
    package let port: UInt16

    /// Listens on a free port of the loopback.
    package init(to target: UInt16) throws {
        self.target = target
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.listener = listener
        var address = sockaddr_in.loopback(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                bind(listener, raw, length) == 0 && listen(listener, 16) == 0
                    && getsockname(listener, raw, &length) == 0
            }
        }
        guard bound else { throw NoPort() }
        port = UInt16(bigEndian: address.sin_port)
        start { $0.accept() }
    }

    /// A proxy in front of the tests' server, for the time of `body`.
    package static func withServer<Value: Sendable>(
        _ body: (StallingProxy, _ host: String) async throws -> Value
    ) async throws -> Value {
        let connection = try await PostgresConnection.connect(ConnectionConfiguration(url: try TestPostgres.url()))
        let port: String? = try await connection.first("SHOW port")
        await connection.close()
        guard let port = port.flatMap({ UInt16($0) }) else { throw NoPort() }
        let proxy = try StallingProxy(to: port)
        defer { proxy.stop() }
        return try await body(proxy, "127.0.0.1:\(proxy.port)")
    }

    /// From now on nothing passes in either direction; new connections aren't answered.
    package func hold() {
        wire.withLock { $0.isHeld = true }
    }

    /// Lets everything through up to a client message that contains `text`, and swallows what the server says to that.
    package func holdAnswers(after text: String) {
        wire.withLock { $0.holdAnswersAfter = Array(text.utf8) }
    }

    /// Breaks the connection on which a message with `text` comes next; others, and those made later, stay.
    package func breakOnce(_ when: Break, _ text: String) {
        wire.withLock { $0.breaking = (Array(text.utf8), when) }
    }

    /// From now on each piece, in either direction, takes so much longer.
    package func delay(by latency: Duration?) {
        wire.withLock { $0.latency = latency }
    }

    /// Does something when so many more pieces have come from clients, just before the last of them goes on to the server.
    package func afterPieces(_ pieces: Int, _ ring: @escaping @Sendable () -> Void) {
        wire.withLock { $0.alarm = (pieces, ring) }
    }

    /// Breaks every connection.
    package func cut() {
        let sockets = wire.withLock { wire in
            wire.isCut = true
            return wire.sockets
        }
        for socket in sockets { shutdown(socket, Int32(SHUT_RDWR)) }
    }

    /// New connections pass again.
    package func mend() {
        wire.withLock { wire in
            (wire.isCut, wire.isHeld, wire.latency) = (false, false, nil)
            wire.sockets = []
        }
    }

    package func stop() {
        cut()
        shutdown(listener, Int32(SHUT_RDWR))
    }

    private func accept() {
        while case let client = Glibc.accept(listener, nil, nil), client >= 0 {
            guard wire.withLock({ !$0.isCut }) else {
                close(client)
                continue
            }
            let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_in.loopback(port: target)
            let connected = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                    connect(server, raw, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
            guard connected else { continue }
            wire.withLock { $0.sockets += [client, server] }
            start { $0.pump(from: client, to: server, isClient: true) }
            start { $0.pump(from: server, to: client, isClient: false) }
        }
        close(listener)
    }

    private func pump(from source: Int32, to sink: Int32, isClient: Bool) {
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while case let count = read(source, &buffer, buffer.count), count > 0 {
            if isClient { countPiece() }
            if let latency = wire.withLock({ $0.latency }) { usleep(latency.microseconds) }
            let passes: Bool? = wire.withLock { wire in
                if isClient, let breaking = wire.breaking, buffer[..<count].firstRange(of: breaking.text) != nil {
                    wire.breaking = nil
                    if breaking.when == .before { return nil }
                    wire.doomed.insert(sink)
                }
                if !isClient, wire.doomed.remove(source) != nil { return nil }
                if isClient, let text = wire.holdAnswersAfter, buffer[..<count].firstRange(of: text) != nil {
                    wire.isHeld = true
                    return true
                }
                return !wire.isHeld
            }
            guard let passes else {
                shutdown(source, Int32(SHUT_RDWR))
                break
            }
            if passes { _ = buffer.withUnsafeBytes { send(sink, $0.baseAddress, count, Int32(MSG_NOSIGNAL)) } }
        }
        shutdown(sink, Int32(SHUT_RDWR))
    }

    private func countPiece() {
        let ring: (@Sendable () -> Void)? = wire.withLock { wire in
            wire.alarm?.pieces -= 1
            guard let alarm = wire.alarm, alarm.pieces <= 0 else { return nil }
            wire.alarm = nil
            return alarm.ring
        }
        ring?()
    }

    private func start(_ body: @escaping @Sendable (StallingProxy) -> Void) {
        let start = Start { [self] in body(self) }
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Start>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, Unmanaged.passRetained(start).toOpaque())
        pthread_detach(thread)
    }

    private final class Start {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
}

extension Duration {
    fileprivate var microseconds: UInt32 {
        UInt32(components.seconds) * 1_000_000 + UInt32(components.attoseconds / 1_000_000_000_000)
    }
}
