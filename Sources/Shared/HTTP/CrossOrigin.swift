import HTTPTypes
import Hummingbird

/// Which pages of other origins may call from a browser (the Fetch standard's CORS protocol).
package struct CrossOrigin<Context: RequestContext>: Sendable {
    /// What scripts may read beside the few headers that they always may.
    private static var exposed: String {
        "ETag, Link, Location, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id"
    }

    private let byOrigin: [String: CORSMiddleware<Context>]

    /// - Parameter origins: such as `https://dashboards.example.com`; `*` for every one. No credentials but the
    ///   `Authorization` header are allowed, so `*` lets nobody use another's session.
    package init(origins: [String]) {
        byOrigin = Dictionary(
            origins.map { origin in
                (
                    origin,
                    CORSMiddleware(
                        allowOrigin: origin == "*" ? .all : .custom(origin),
                        allowHeaders: [
                            .accept, .authorization, .contentType, .ifMatch, .ifNoneMatch, .requestID, .tenantID,
                            .idempotencyKey,
                        ],
                        allowMethods: [.get, .head, .post, .put, .patch, .delete, .options],
                        maxAge: .hours(1))
                )
            }, uniquingKeysWith: { first, _ in first })
    }

    /// - Parameter next: must answer with problems instead of throwing them: errors pass by the headers added here.
    func handle(
        _ request: Request, _ context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard !byOrigin.isEmpty, let origin = request.headers[.origin] else { return try await next(request, context) }
        guard let middleware = byOrigin[origin] ?? byOrigin["*"] else {
            var response = try await next(request, context)
            response.headers[values: .vary].append("Origin") // as it does for those on the list
            return response
        }
        // A plain OPTIONS request that is no preflight is the router's.
        guard request.method != .options || request.headers[.accessControlRequestMethod] != nil else {
            return try await next(request, context)
        }
        var response = try await middleware.handle(request, context: context, next: next)
        // On the answers themselves, where browsers look for it; the middleware has it for preflights alone.
        response.headers[.accessControlExposeHeaders] = Self.exposed
        return response
    }
}
