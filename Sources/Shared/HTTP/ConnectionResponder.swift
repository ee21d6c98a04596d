import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOHTTP1

/// An answer broke off since the client's bytes made no sense any more. Were it an `HTTPParserError`, the framework would
/// write a second answer behind it.
struct AnswerInterrupted: Error {}

extension HTTPResponder where Context: InitializableFromSource<ApplicationRequestContextSource> {
    /// Answers what comes in on a connection: what the framework's `Application` does around a responder.
    func onConnections(logger: Logger) -> HTTPChannelHandler.Responder {
        { request, writer, channel in
            // Throws only what ends the connection: what is no request, for `UnreadableRequests`, or a client that is gone.
            var response = try await respond(
                to: request, context: Context(source: .init(channel: channel, logger: logger)))
            response.headers[.date] = HTTPDate.now
            response.headers[.server] = "pulsegate"
            do {
                try await writer.write(response: response.head, body: response.body)
            } catch is HTTPParserError {
                throw AnswerInterrupted()
            }
        }
    }
}
