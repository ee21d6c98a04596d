import HTTPTypes
import Hummingbird
import Logging
import Postgres

/// A router with everything that holds for each request around it: request id, access log, metrics by route, problems in
/// place of every other error, compression, and what pages of other origins may do. Build an application from this instead of the router itself:
///
/// ```swift
/// let app = Application(router: HTTPEdge(router, metrics: registry), …)
/// ```
package struct HTTPEdge<Context: PulsegateRequestContext>: HTTPResponderBuilder {
    private let router: Router<Context>
    private let metrics: MetricRegistry
    private let accessLevel: Logger.Level
    private let crossOrigin: CrossOrigin<Context>
    private let proxies: TrustedProxies

    /// - Parameters:
    ///   - accessLevel: at which requests are logged that went well; failures on our side are warnings.
    ///   - origins: other origins whose pages may call; see ``CrossOrigin``.
    ///   - proxies: those in front of us.
    package init(
        _ router: Router<Context>, metrics: MetricRegistry, accessLevel: Logger.Level = .info, origins: [String] = [],
        proxies: TrustedProxies = TrustedProxies()
    ) {
        crossOrigin = CrossOrigin(origins: origins)
        self.router = router
        self.metrics = metrics
        self.accessLevel = accessLevel
        self.proxies = proxies
    }

    package func buildResponder() -> HTTPEdgeResponder<Context> {
        let inner = router.buildResponder()
        let routes = RouteTable(router) // after building, which may add routes for HEAD
        return HTTPEdgeResponder(
            inner: inner, routes: routes, metrics: RequestMetrics(routes, metrics),
            accessLog: AccessLog(level: accessLevel), crossOrigin: crossOrigin, proxies: proxies)
    }
}

package struct HTTPEdgeResponder<Context: PulsegateRequestContext>: HTTPResponder {
    let inner: RouterResponder<Context>
    let routes: RouteTable
    let metrics: RequestMetrics
    let accessLog: AccessLog
    let crossOrigin: CrossOrigin<Context>
    let proxies: TrustedProxies

    package func respond(to request: Request, context: Context) async throws -> Response {
        let start = ContinuousClock.now
        var context = context
        context.requestID = SaneRequestID.from(request.headers[.requestID])
        context.client = proxies.client(context.remoteAddress.flatMap { IPAddress($0) }, request.headers)
        context.logger[metadataKey: "request_id"] = .string(context.requestID)
        if let parent = request.headers[.traceParent], let trace = traceID(ofTraceParent: parent) {
            context.logger[metadataKey: "trace_id"] = .string(trace)
        }
        metrics.began()
        var response: Response
        do {
            response = try await crossOrigin.handle(ResponseCompression.unmark(request), context) {
                try await answer($0, $1)
            }
        } catch {
            metrics.abandoned()
            throw error
        }
        response.headers[.requestID] = context.requestID
        response = ResponseCompression.apply(to: response, for: request)
        if request.method == .head { response = response.createHeadResponse() }
        let duration = ContinuousClock.now - start
        metrics.ended(request.method, context.routeTemplate, response.status, duration)
        accessLog.write(request, response, duration, context)
        return response
    }

    /// - Throws: only when the request itself can't be read any more, so that the connection is closed.
    private func answer(_ request: Request, _ context: Context) async throws -> Response {
        let response: Response
        do {
            response = try await inner.respond(to: request, context: context)
        } catch let error as BrokenRequestBody {
            throw error.underlying
        } catch {
            return try Problem(anyError: error).response(from: request, context: context)
        }
        guard response.status.code >= 400, !Self.isProblem(response), !context.notes.hasOwnErrors else {
            return response
        }
        return try replacement(for: response, request, context).response(from: request, context: context)
    }

    /// The framework's own errors have no body, or one of another form. What middleware put beside it (CORS) is kept.
    private func replacement(for response: Response, _ request: Request, _ context: Context) -> Problem {
        var problem = Problem.bare(response.status)
        if response.status == .notFound, context.routeTemplate == nil {
            let methods = routes.methods(at: request.uri.path).filter { $0 != request.method }
            if !methods.isEmpty { problem = .methodNotAllowed(methods) }
        }
        for field in response.headers where field.name != .contentType && field.name != .contentLength {
            problem.headers[field.name] = field.value
        }
        return problem
    }

    private static func isProblem(_ response: Response) -> Bool {
        response.headers[.contentType]?.hasPrefix(Problem.contentType) == true
    }
}

extension Problem {
    /// Whatever was thrown. What we don't know is ours to repair: 500, and its text goes to the log.
    package init(anyError error: any Error) {
        switch error {
        case let problem as Problem: self = problem
        case let error as PostgresError: self.init(postgres: error)
        case let error as PipelineError: self.init(postgres: error)
        case is CancellationError: self = .unavailable(retryAfter: 1)
        default: self = .internal("\(type(of: error)): \(error)")
        }
    }
}
