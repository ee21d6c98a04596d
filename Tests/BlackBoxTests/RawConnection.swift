import Foundation
import NIOCore
import NIOPosix

/// A connection whose bytes are the test's own: what no HTTP client would say.
struct RawConnection {
    let voice: Voice
    private let channel: any Channel
    private var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private var received = ByteBuffer()

    /// Opens one for the time of `body`.
    static func to<Value: Sendable>(
        _ port: Int, _ body: (inout RawConnection) async throws -> Value
    ) async throws -> Value {
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            // A server that is broken keeps a test waiting for ever; the time limit of the suite ends it here.
            try await withTaskCancellationHandler {
                var connection = RawConnection(
                    voice: Voice(outbound: outbound), channel: channel.channel, inbound: inbound.makeAsyncIterator())
                return try await body(&connection)
            } onCancel: {
                channel.channel.close(promise: nil)
            }
        }
    }

    /// Says something, and hears everything until the server closes.
    static func exchange(_ text: [UInt8], port: Int) async throws -> [RawAnswer] {
        try await to(port) { connection in
            await connection.voice.say(text)
            return try await connection.hearAll()
        }
    }

    /// Ends the connection as a crash does, without a word (RST).
    func reset() async throws {
        let now = linger(l_onoff: 1, l_linger: 0)
        try await (channel as? any SocketOptionProvider)?.setSoLinger(now).get()
        try? await channel.close()
    }

    /// Completes when the server has closed, or reset, the connection.
    func closed() async {
        try? await channel.closeFuture.get()
    }

    /// The next answer; nil when the connection ends before it does.
    mutating func hear() async throws -> RawAnswer? {
        while true {
            if let answer = RawAnswer(&received) { return answer }
            do {
                guard var more = try await inbound.next() else { return nil }
                received.writeBuffer(&more)
            } catch is IOError {
                return nil // reset by the server, which had not read all that we said
            }
        }
    }

    mutating func hearAll() async throws -> [RawAnswer] {
        var answers: [RawAnswer] = []
        while let answer = try await hear() { answers.append(answer) }
        return answers
    }
}

/// Our side of a connection.
struct Voice: Sendable {
    fileprivate let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>

    /// - Returns: whether the server still listens; one that has refused already need not.
    @discardableResult
    func say(_ bytes: some Sequence<UInt8> & Sendable) async -> Bool {
        do {
            try await outbound.write(ByteBuffer(bytes: bytes))
            return true
        } catch {
            return false
        }
    }

    /// Closes our side; the server's stays open.
    func end() {
        outbound.finish()
    }
}

/// An answer as it came, of HTTP/1.1 with a Content-Length.
struct RawAnswer: Sendable {
    let status: Int
    let headers: [String: String]
    let body: Data

    /// Takes one from the front; nil while it is not all there.
    init?(_ bytes: inout ByteBuffer) {
        let text = String(decoding: bytes.readableBytesView, as: UTF8.self)
        guard let end = text.range(of: "\r\n\r\n") else { return nil }
        let lines = text[..<end.lowerBound].components(separatedBy: "\r\n")
        let words = lines[0].split(separator: " ")
        guard words.count > 1, words[0] == "HTTP/1.1", let status = Int(words[1]) else { return nil }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            headers[parts[0].lowercased()] = parts.count > 1 ? parts[1].trimmingCharacters(in: .whitespaces) : ""
        }
        let headLength = text[..<end.upperBound].utf8.count
        let bodyLength = headers["content-length"].flatMap { Int($0) } ?? 0
        guard bytes.readableBytes >= headLength + bodyLength, bytes.readSlice(length: headLength) != nil,
            let body = bytes.readSlice(length: bodyLength)
        else { return nil }
        self.status = status
        self.headers = headers
        self.body = Data(body.readableBytesView)
    }

    var json: [String: any Sendable] {
        ((try? JSONSerialization.jsonObject(with: body)) as? [String: any Sendable]) ?? [:]
    }

    var code: String? { json["code"] as? String }

    /// What is missing for a problem as RFC 9457 and our own conventions have it; nil when nothing is.
    var faultAsProblem: String? {
        guard headers["content-type"] == "application/problem+json" else { return "no problem+json: \(headers)" }
        guard json["status"] as? Int == status else { return "status \(json["status"] ?? "absent") in \(status)" }
        guard let code, json["type"] as? String == "/problems/\(code)" else { return "type of \(json)" }
        guard json["title"] is String, json["detail"] is String else { return "no title or detail" }
        guard let id = json["request_id"] as? String, id == headers["x-request-id"] else { return "request id" }
        return nil
    }
}
