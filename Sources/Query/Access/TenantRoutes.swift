import HTTPTypes
import Hummingbird
import Shared
import Synchronization

/// Where endpoints behind sign-in are registered, each with the scope that it demands. Every registration is noted, so
/// a test can walk them and find one that nobody thought about.
struct TenantRoutes {
    struct Entry: Hashable, Sendable {
        let method: String
        let path: String
        /// Nil: whoever is signed in.
        let scope: Scope?
    }

    private let group: RouterGroup<TenantContext>
    private let prefix: String
    private let keyUses: KeyUses
    let entries: RouteList

    init(_ group: RouterGroup<TenantContext>, prefix: String, keyUses: KeyUses) {
        self.keyUses = keyUses
        self.group = group
        self.prefix = prefix
        entries = RouteList()
    }

    func get(
        _ path: String, requires scope: Scope?, evenBeforePasswordChange: Bool = false,
        use handler: @Sendable @escaping (Request, TenantContext) async throws -> some ResponseGenerator
    ) {
        on(.get, path, scope, evenBeforePasswordChange, handler)
    }

    /// - Parameter evenBeforePasswordChange: also for those who have to change their password first.
    func post(
        _ path: String, requires scope: Scope?, evenBeforePasswordChange: Bool = false,
        use handler: @Sendable @escaping (Request, TenantContext) async throws -> some ResponseGenerator
    ) {
        on(.post, path, scope, evenBeforePasswordChange, handler)
    }

    func patch(
        _ path: String, requires scope: Scope?,
        use handler: @Sendable @escaping (Request, TenantContext) async throws -> some ResponseGenerator
    ) {
        on(.patch, path, scope, false, handler)
    }

    func put(
        _ path: String, requires scope: Scope?,
        use handler: @Sendable @escaping (Request, TenantContext) async throws -> some ResponseGenerator
    ) {
        on(.put, path, scope, false, handler)
    }

    func delete(
        _ path: String, requires scope: Scope?,
        use handler: @Sendable @escaping (Request, TenantContext) async throws -> some ResponseGenerator
    ) {
        on(.delete, path, scope, false, handler)
    }

    private func on(
        _ method: HTTPRequest.Method, _ path: String, _ scope: Scope?, _ evenBeforePasswordChange: Bool,
        _ handler: @Sendable @escaping (Request, TenantContext) async throws -> some ResponseGenerator
    ) {
        entries.append(Entry(method: method.rawValue, path: "\(prefix)/\(path)", scope: scope))
        group.on(RouterPath(path), method: method) { [keyUses] request, context in
            if context.mustChangePassword, !evenBeforePasswordChange {
                throw Problem.forbidden(
                    code: "password_change_required", detail: "Change your password first: POST /auth/password.")
            }
            if let scope { try context.principal.require(scope) }
            if context.principal.kind == .apiKey { keyUses.count(scope) }
            return try await handler(request, context)
        }
    }
}

/// The registrations of one application.
final class RouteList: Sendable {
    private let entries = Mutex<[TenantRoutes.Entry]>([])

    var all: [TenantRoutes.Entry] { entries.withLock { $0 } }

    func append(_ entry: TenantRoutes.Entry) {
        entries.withLock { $0.append(entry) }
    }
}
