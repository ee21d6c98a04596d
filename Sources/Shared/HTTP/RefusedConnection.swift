import HTTPTypes
import NIOCore

/// A connection beyond the limit: 503, and its end. It is told once it has begun to ask, since many clients take an answer to
/// nothing for a broken connection, or after a moment of silence. What it says is not kept.
final class RefusedConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let silence = TimeAmount.milliseconds(200)
    /// In which the client has to read the answer and close; closing before it has would take the answer back.
    private static let patience = TimeAmount.seconds(1)

    private var isAnswered = false
    private var timer: Scheduled<Void>?

    func channelActive(context: ChannelHandlerContext) {
        schedule(context, in: Self.silence) { [self] context in answer(context) }
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if !isAnswered { answer(context) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func answer(_ context: ChannelHandlerContext) {
        isAnswered = true
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: Self.refusal())), promise: nil)
        context.close(mode: .output, promise: nil)
        schedule(context, in: Self.patience) { $0.close(promise: nil) }
    }

    private func schedule(
        _ context: ChannelHandlerContext, in delay: TimeAmount, _ action: @escaping (ChannelHandlerContext) -> Void
    ) {
        timer?.cancel()
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: delay) { action(context) }
    }

    /// The whole answer, as it goes out.
    private static func refusal() -> String {
        let problem = Problem.unavailable(
            code: "too_many_connections", detail: "This server has as many connections as it can serve.")
        let (head, body) = problem.lastAnswer()
        let lines = ["HTTP/1.1 \(head.status)"] + head.headerFields.map { "\($0.name): \($0.value)" }
        return lines.joined(separator: "\r\n") + "\r\n\r\n" + String(buffer: body)
    }
}
