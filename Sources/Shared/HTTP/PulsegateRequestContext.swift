import Foundation
import Hummingbird
import NIOCore
import Synchronization

/// What every request of ours carries, in either process.
package protocol PulsegateRequestContext: RequestContext {
    /// `X-Request-Id`, the client's own if it is sane.
    var requestID: String { get set }
    /// What later steps learn about the request and the access log tells.
    var notes: RequestNotes { get }
    /// Who connected to us: with a proxy in front, the proxy.
    var remoteAddress: SocketAddress? { get }
    /// Where the request comes from, as far as that can be believed; see ``TrustedProxies``.
    var client: IPAddress? { get set }
}

extension PulsegateRequestContext {
    /// The route's template, `/api/v1/sites/{id}`; nil before a route was found and where there is none.
    package var routeTemplate: String? {
        endpointPath == "NotFound" ? nil : endpointPath
    }
}

extension PulsegateRequestContext where Encoder == JSONEncoder {
    package var responseEncoder: JSONEncoder { JSONCoding.encoder }
}

extension PulsegateRequestContext where Decoder == JSONDecoder {
    package var requestDecoder: JSONDecoder { JSONCoding.decoder }
}

/// Facts about one request that are found further in than the access log, which is written at its outer end.
package final class RequestNotes: Sendable {
    private let slug = Mutex<String?>(nil)
    private let errorsAreOwn = Mutex(false)

    package init() {}

    /// The tenant the request acts for, once known.
    package var tenantSlug: String? {
        get { slug.withLock { $0 } }
        set { slug.withLock { $0 = newValue } }
    }

    /// Another standard says what the endpoint's errors look like: they are left as they are.
    package var hasOwnErrors: Bool {
        get { errorsAreOwn.withLock { $0 } }
        set { errorsAreOwn.withLock { $0 = newValue } }
    }
}

/// The context of a request before anyone signed in.
package struct AnonymousRequestContext: PulsegateRequestContext {
    package var coreContext: CoreRequestContextStorage
    package var requestID = ""
    package let notes = RequestNotes()
    package let remoteAddress: SocketAddress?
    package var client: IPAddress?

    package init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        remoteAddress = source.channel.remoteAddress
    }
}
