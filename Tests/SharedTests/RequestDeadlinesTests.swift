import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import Testing

@testable import Shared

/// The clock here is the test's: no second of it is waited for.
struct RequestDeadlinesTests {
    private static let head = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n"

    private let loop = EmbeddedEventLoop()
    private let channel: EmbeddedChannel
    private let metrics = MetricRegistry()

    init() throws {
        channel = EmbeddedChannel(loop: loop)
        let pipeline = channel.pipeline.syncOperations
        try pipeline.configureHTTPServerPipeline(withPipeliningAssistance: false, withErrorHandling: false)
        try pipeline.addHandlers([
            HTTP1ToHTTPServerCodec(secure: false), RequestDeadlines(.init(), counting: SlowClients(metrics)),
        ])
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/test")).wait()
    }

    private func send(_ text: String) throws { try channel.writeInbound(ByteBuffer(string: text)) }

    private func pass(seconds: Int64) { loop.advanceTime(by: .seconds(seconds)) }

    private func answer(_ status: HTTPResponse.Status = .ok) throws {
        try channel.writeOutbound(
            HTTPResponsePart.head(HTTPResponse(status: status, headerFields: [.contentLength: "0"])))
        try channel.writeOutbound(HTTPResponsePart.end(nil))
    }

    private var isRefused: Bool {
        do {
            try channel.throwIfErrorCaught()
            return false
        } catch {
            return error is RequestTooSlow
        }
    }

    /// Everything that was sent so far.
    private func answers() throws -> String {
        var text = ""
        while let bytes = try channel.readOutbound(as: ByteBuffer.self) { text += String(buffer: bytes) }
        return text
    }

    @Test func aHeadThatTricklesIsRefused() throws {
        for byte in Self.head.prefix(9) {
            try send(String(byte))
            pass(seconds: 1)
            #expect(!isRefused)
        }
        pass(seconds: 1)
        #expect(isRefused)
        #expect(metrics.exposition().contains(#"pulsegate_http_slow_clients_total{phase="head"} 1"#))
    }

    @Test func aBodyThatTricklesIsRefused() throws {
        try send(Self.head)
        for _ in 0..<3 {
            pass(seconds: 19)
            try send("x")
        }
        #expect(!isRefused)
        pass(seconds: 3)
        #expect(isRefused)
        #expect(metrics.exposition().contains(#"pulsegate_http_slow_clients_total{phase="body"} 1"#))
    }

    @Test func whoSaysNothingIsNotSlow() throws {
        pass(seconds: 3_600)
        try send(Self.head + "abcd")
        pass(seconds: 3_600) // ours, with the answer
        try answer()
        pass(seconds: 3_600)
        try send(Self.head + "abcd")
        try answer()
        #expect(!isRefused && channel.isActive)
    }

    @Test func eachRequestHasItsOwnTime() throws {
        for _ in 0..<5 {
            try send(String(Self.head.prefix(20)))
            pass(seconds: 9)
            try send(String(Self.head.dropFirst(20)))
            pass(seconds: 59)
            try send("abcd")
            try answer()
        }
        #expect(!isRefused)
    }

    /// While an earlier answer is ours to give, what comes behind it has time.
    @Test func ourOwnTimeIsNotCounted() throws {
        try send(Self.head + "abcd" + Self.head)
        try send("a")
        pass(seconds: 3_600)
        #expect(!isRefused)
        try answer()
        pass(seconds: 59)
        #expect(!isRefused)
        pass(seconds: 1)
        #expect(isRefused)
    }

    @Test func afterTheRefusalTheConnectionEnds() throws {
        try send(Self.head)
        pass(seconds: 60)
        #expect(isRefused)
        try send("abcd" + Self.head)
        try answer(.requestTimeout)
        try answer(.ok)
        #expect(try answers().matches(of: /HTTP\/1.1 (\d+)/).map { String($0.1) } == ["408"])
        #expect(channel.isActive, "for as long as it takes to read it")
        pass(seconds: 2)
        #expect(!channel.isActive)
        var parts: [HTTPRequestPart] = []
        while let part = try channel.readInbound(as: HTTPRequestPart.self) { parts.append(part) }
        #expect(parts.count == 1, "what follows reaches nobody")
    }

    private func lastCall() { channel.pipeline.fireUserInboundEventTriggered(RequestDeadlines.LastCall()) }

    /// The answer is the framework's, which `UnreadableRequests` turns into a problem.
    @Test(arguments: [Self.head, String(Self.head.prefix(20)), Self.head + "ab"])
    func whatStillArrivesWhenTheProcessStopsIsRefused(_ text: String) throws {
        let metrics = MetricRegistry()
        try channel.pipeline.syncOperations.addHandler(
            UnreadableRequests(counting: metrics.counter("unreadable_total", help: "")))
        try send(text)
        lastCall()
        #expect(throws: HTTPParserError.self) { try channel.throwIfErrorCaught() }
        try channel.writeOutbound(
            HTTPResponsePart.head(
                HTTPResponse(status: .badRequest, headerFields: [.connection: "close", .contentLength: "0"])))
        try channel.writeOutbound(HTTPResponsePart.end(nil))
        let answer = try answers()
        #expect(answer.hasPrefix("HTTP/1.1 503 "))
        #expect(answer.contains("Retry-After: 1\r\n") && answer.contains("\"code\":\"stopping\""))
        #expect(metrics.exposition().contains("unreadable_total 0"))
        pass(seconds: 3_600)
        #expect(!channel.isActive)
    }

    @Test func whatHasArrivedWhenTheProcessStopsIsOurs() throws {
        lastCall()
        try send(Self.head + "abcd")
        lastCall()
        try channel.throwIfErrorCaught()
        try answer()
        #expect(try answers().hasPrefix("HTTP/1.1 200 "))
    }

    /// A second answer would belong to no request.
    @Test func whoHasTheAnswerAndGoesOnIsCutOff() throws {
        try send(Self.head)
        try answer(.contentTooLarge)
        try send("a")
        pass(seconds: 59)
        #expect(channel.isActive)
        pass(seconds: 1)
        #expect(!isRefused && !channel.isActive)
        #expect(try answers().matches(of: /HTTP\/1.1/).count == 1)
    }

    @Test func whoDoesNotTakeTheAnswerIsCutOff() throws {
        try send(Self.head + "abcd")
        channel.isWritable = false
        channel.pipeline.fireChannelWritabilityChanged()
        pass(seconds: 59)
        channel.isWritable = true
        channel.pipeline.fireChannelWritabilityChanged()
        pass(seconds: 3_600)
        #expect(channel.isActive)
        channel.isWritable = false
        channel.pipeline.fireChannelWritabilityChanged()
        pass(seconds: 60)
        #expect(!channel.isActive)
        #expect(metrics.exposition().contains(#"pulsegate_http_slow_clients_total{phase="answer"} 1"#))
    }

    /// Who has closed its side still waits for an answer, and is not slow with another request.
    @Test func halfClosedConnectionsAreNotSlow() throws {
        try send(Self.head + "abcd")
        channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        channel.pipeline.fireChannelReadComplete()
        try answer()
        pass(seconds: 3_600)
        #expect(!isRefused)
    }
}
