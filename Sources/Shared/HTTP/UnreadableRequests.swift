import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1

/// Answers what never becomes a request (bad framing, headers too large, a method nobody knows) with a problem like every
/// other error. Hummingbird answers such a connection with an empty 400 and closes it; this puts the problem in its place.
final class UnreadableRequests: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let refused: Counter
    private var fault: Problem?

    /// - Parameter refused: how many there were; no route's metrics and no access log tell of them.
    init(counting refused: Counter) {
        self.refused = refused
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let problem = Problem(unreadable: error) else { return context.fireErrorCaught(error) }
        fault = problem
        // Hummingbird answers this kind of error alone, once what was asked before is answered.
        context.fireErrorCaught(error is HTTPParserError ? error : HTTPParserError.unknown)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard let problem = fault, case .head(let head) = unwrapOutboundIn(data), head.isFrameworksRefusal else {
            return context.write(data, promise: promise)
        }
        fault = nil
        if problem.isAboutBytes { refused.increment() }
        let (refusal, body) = problem.lastAnswer()
        context.write(wrapOutboundOut(.head(refusal)), promise: nil)
        context.write(wrapOutboundOut(.body(body)), promise: promise)
    }
}

extension HTTPResponse {
    /// `HTTPChannelHandler` writes exactly this; answers of ours are never empty with a 400.
    fileprivate var isFrameworksRefusal: Bool {
        status == .badRequest && headerFields[.contentLength] == "0" && headerFields[.connection] == "close"
    }
}

extension Problem {
    /// `SlowClients` counts requests that did not arrive in time.
    fileprivate var isAboutBytes: Bool { status != .requestTimeout && status != .serviceUnavailable }

    /// Nil for what isn't about the bytes received, such as a connection that was reset.
    fileprivate init?(unreadable error: any Error) {
        switch error {
        case is RequestTooSlow:
            self = Problem(.requestTimeout, code: "request_timeout", detail: "The request took too long to arrive.")
        case is ProcessStops:
            self = .unavailable(code: "stopping", detail: "This server stops before the request has arrived.")
        case HTTPParserError.headerOverflow:
            self = Problem(
                .requestHeaderFieldsTooLarge, code: "header_too_large", detail: "The request's header is too large.")
        case HTTPParserError.invalidMethod:
            self = .unknownMethod
        case let error as HTTP1TypeConversionError where error == .invalidMethod:
            self = .unknownMethod
        case is HTTPParserError, is HTTP1TypeConversionError:
            self = .badRequest(code: "malformed_request", detail: "This is not a well-formed HTTP/1.1 request.")
        default: return nil
        }
    }

    /// RFC 9110 §15.6.2: a method that no resource here could know.
    private static var unknownMethod: Problem {
        Problem(.notImplemented, code: "unknown_method", detail: "This method is not known here.")
    }
}
