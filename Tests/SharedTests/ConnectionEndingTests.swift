import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import Testing

@testable import Shared

/// How a connection ends when the process stops. The clock here is the test's: no second of it is waited for.
struct ConnectionEndingTests {
    private static let request = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n"

    private let loop = EmbeddedEventLoop()
    private let channel: EmbeddedChannel
    private let drain = DrainMarker()
    private let closings = Closings()

    /// How the channel is closed; the embedded one itself knows no half.
    private final class Closings: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer

        var modes: [CloseMode] = []

        func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
            modes.append(mode)
            if mode == .all { context.close(mode: mode, promise: promise) } else { promise?.succeed() }
        }
    }

    init() throws {
        channel = EmbeddedChannel(loop: loop)
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(closings)
        try pipeline.configureHTTPServerPipeline(withPipeliningAssistance: false, withErrorHandling: false)
        try pipeline.addHandlers([HTTP1ToHTTPServerCodec(secure: false), ConnectionEnding(drain)])
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/test")).wait()
    }

    private func send(_ text: String) throws { try channel.writeInbound(ByteBuffer(string: text)) }

    private func pass(milliseconds: Int64) { loop.advanceTime(by: .milliseconds(milliseconds)) }

    /// As ``PublicServer`` tells each connection when it accepts no more.
    private func tellToEnd() { channel.pipeline.fireUserInboundEventTriggered(ConnectionEnding.EndWhenIdle()) }

    /// Writes an answer; returns whether it says that it is the last one.
    private func answer(_ fields: HTTPFields = [:]) throws -> Bool {
        var fields = fields
        fields[.contentLength] = "0"
        try channel.writeOutbound(HTTPResponsePart.head(HTTPResponse(status: .ok, headerFields: fields)))
        try channel.writeOutbound(HTTPResponsePart.end(nil))
        var text = ""
        while let bytes = try channel.readOutbound(as: ByteBuffer.self) { text += String(buffer: bytes) }
        #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n"))
        return text.contains("Connection: close\r\n")
    }

    private func headsReceived() throws -> Int {
        var count = 0
        while let part = try channel.readInbound(as: HTTPRequestPart.self) {
            if case .head = part { count += 1 }
        }
        return count
    }

    @Test func anAnswerSaysNothingOfAnEndBeforeThereIsOne() throws {
        try send(Self.request)
        #expect(try !answer())
        pass(milliseconds: 60_000)
        #expect(channel.isActive)
    }

    @Test func everyAnswerOfAProcessThatStopsIsTheLast() throws {
        drain.mark()
        try send(Self.request)
        #expect(try answer())
        #expect(closings.modes == [.output])
        pass(milliseconds: 1_999)
        #expect(channel.isActive, "the client has to read it")
        pass(milliseconds: 1)
        #expect(!channel.isActive)
    }

    @Test func whatFollowsTheLastRequestIsNotProcessed() throws {
        try send(Self.request)
        drain.mark()
        #expect(try answer())
        try send(Self.request)
        #expect(try headsReceived() == 1)
    }

    @Test func requestsThatWereSentTogetherAreAllAnswered() throws {
        try send(Self.request + Self.request)
        drain.mark()
        #expect(try !answer())
        #expect(try answer())
        #expect(try headsReceived() == 2)
    }

    @Test func anAnswerThatEndsTheConnectionByItselfDoesSo() throws {
        try send(Self.request)
        #expect(try answer([.connection: "close"]))
        pass(milliseconds: 2_000)
        #expect(!channel.isActive)
    }

    @Test(arguments: ["close", "Close", "foo, close ,bar"]) func whoAsksForTheEndIsToldSo(_ options: String) throws {
        try send(Self.request.replacing("\r\n\r\n", with: "\r\nConnection: \(options)\r\n\r\n"))
        #expect(try answer())
        tellToEnd()
        pass(milliseconds: 1_000)
        #expect(channel.isActive, "it has its time to read the answer")
        pass(milliseconds: 1_000)
        #expect(!channel.isActive)
    }

    @Test func anIdleConnectionEndsSoon() throws {
        try send(Self.request)
        _ = try answer()
        tellToEnd()
        pass(milliseconds: 19)
        #expect(channel.isActive, "bytes may have arrived that nobody has read yet")
        pass(milliseconds: 1)
        #expect(!channel.isActive)
    }

    @Test func aRequestThatBeginsToArriveIsWaitedFor() throws {
        try send(Self.request)
        _ = try answer()
        drain.mark()
        tellToEnd()
        try send(String(Self.request.prefix(5)))
        pass(milliseconds: 5_000)
        #expect(channel.isActive)
        try send(String(Self.request.dropFirst(5)))
        #expect(try answer())
    }

    @Test func aNewConnectionHasTimeForItsFirstWord() throws {
        pass(milliseconds: 500)
        tellToEnd()
        pass(milliseconds: 1_400)
        #expect(channel.isActive)
        pass(milliseconds: 200)
        #expect(!channel.isActive)
    }

    @Test func anAnswerUnderWayIsFinishedFirst() throws {
        try send(Self.request)
        try channel.writeOutbound(HTTPResponsePart.head(HTTPResponse(status: .ok, headerFields: [.contentLength: "0"])))
        drain.mark()
        tellToEnd()
        pass(milliseconds: 5_000)
        #expect(channel.isActive)
        try channel.writeOutbound(HTTPResponsePart.end(nil))
        pass(milliseconds: 20)
        #expect(!channel.isActive, "though it could not be said any more")
    }

    @Test func goingOnIsNoAnswer() throws {
        try send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n")
        drain.mark()
        try channel.writeOutbound(HTTPResponsePart.head(HTTPResponse(status: .continue)))
        let told = try #require(try channel.readOutbound(as: ByteBuffer.self))
        #expect(!String(buffer: told).contains("close"))
        try send("x")
        #expect(try answer())
    }
}
