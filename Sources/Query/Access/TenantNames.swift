import Hummingbird
import Shared

/// Notes how a request names its tenant beside its credentials: by `X-Tenant-ID`, and by a subdomain.
struct TenantNames: RouterMiddleware {
    typealias Context = QueryContext

    /// Subdomains that installations use for themselves, so no tenant is called so.
    static let reserved: Set = ["admin", "api", "app", "ingest", "www"]

    private let suffix: String?

    /// - Parameter baseDomain: `pulsegate.example.com`; nil where subdomains name nobody.
    init(baseDomain: String?) {
        suffix = baseDomain.map { "." + $0.lowercased() }
    }

    func handle(
        _ request: Request, context: QueryContext, next: (Request, QueryContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        context.namedTenants = names(header: request.headers[.tenantID], host: request.head.authority)
        return try await next(request, context)
    }

    func names(header: String?, host: String?) -> [String] {
        [header, subdomain(of: host)].compactMap(\.self)
    }

    private func subdomain(of host: String?) -> String? {
        guard let suffix, let host else { return nil }
        let name = host.prefix { $0 != ":" }.lowercased()
        guard name.hasSuffix(suffix) else { return nil }
        let label = String(name.dropLast(suffix.count))
        return Self.reserved.contains(label) ? nil : label
    }
}
