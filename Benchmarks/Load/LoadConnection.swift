import Foundation
import Support

/// One keep-alive connection to 127.0.0.1, non-blocking, with at most one request under way.
final class LoadConnection {
    enum Received {
        case nothingYet
        case answer(status: Int, isExpected: Bool)
    }

    struct Broken: Error, CustomStringConvertible {
        let description: String
    }

    let socket: Int32
    /// When the request under way was due, nanoseconds of the monotonic clock.
    private(set) var dueAt: UInt64 = 0
    /// What the kernel would not take yet.
    private var unsent: [UInt8] = []
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)
    private var filled = 0
    /// The newest answer, kept to be shown when it is a failure.
    private(set) var lastAnswer = ""

    var hasUnsent: Bool { !unsent.isEmpty }

    init(port: Int) throws {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in.loopback(port: UInt16(port))
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { throw Broken(description: "connect to port \(port): errno \(errno)") }
        var yes: Int32 = 1
        setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
        _ = fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) | O_NONBLOCK)
    }

    deinit {
        close(socket)
    }

    func send(_ request: UnsafeRawBufferPointer, dueAt: UInt64) throws {
        self.dueAt = dueAt
        let sent = try write(request)
        if sent < request.count { unsent = Array(request[sent...]) }
    }

    func sendRest() throws {
        let sent = try unsent.withUnsafeBytes { try write($0) }
        unsent.removeFirst(sent)
    }

    private func write(_ bytes: UnsafeRawBufferPointer) throws -> Int {
        let sent = Glibc.send(socket, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
        if sent >= 0 { return sent }
        guard errno == EAGAIN || errno == EINTR else { throw Broken(description: "send: errno \(errno)") }
        return 0
    }

    /// - Parameter expected: what the body of a good answer contains; empty if anything will do.
    func receive(expecting expected: [UInt8]) throws -> Received {
        if filled == buffer.count { buffer.append(contentsOf: [UInt8](repeating: 0, count: buffer.count)) }
        return try buffer.withUnsafeMutableBytes { buffer in
            let received = recv(socket, buffer.baseAddress.map { $0 + filled }, buffer.count - filled, 0)
            if received < 0, errno == EAGAIN || errno == EINTR { return .nothingYet }
            guard received > 0 else {
                throw Broken(description: received == 0 ? "the server closed a connection" : "recv: errno \(errno)")
            }
            filled += received
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<filled])
            guard case .complete(let status, let body, let end, let closes) = try AnswerReader.read(bytes) else {
                return .nothingYet
            }
            guard end == filled, !closes else {
                throw Broken(description: "not keep-alive: \(AnswerReader.text(bytes))")
            }
            filled = 0
            let isExpected = expected.isEmpty || bytes.contains(expected, from: body)
            if !isExpected || status / 100 != 2 { lastAnswer = AnswerReader.text(bytes) }
            return .answer(status: status, isExpected: isExpected)
        }
    }
}
