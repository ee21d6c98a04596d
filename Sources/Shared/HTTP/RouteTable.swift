import HTTPTypes
import Hummingbird

/// Which methods the paths of a router have. Asked only where the router found nothing, to tell 405 from 404.
struct RouteTable: Sendable {
    private struct Route: Sendable {
        let path: RouterPath
        let method: HTTPRequest.Method
    }

    private let routes: [Route]

    init<Context: RequestContext>(_ router: Router<Context>) {
        routes = router.routes.map { Route(path: $0.path, method: $0.method) }
    }

    /// Templates and their methods, each pair once.
    var templates: [(template: String, method: HTTPRequest.Method)] {
        routes.map { ($0.path.description, $0.method) }
    }

    /// The methods of all routes that match a path; empty where none does.
    func methods(at path: String) -> [HTTPRequest.Method] {
        let parts = path.split(separator: "/")
        return Set(routes.lazy.filter { Self.matches($0.path, parts) }.map(\.method))
            .sorted { $0.rawValue < $1.rawValue }
    }

    private static func matches(_ path: RouterPath, _ parts: [Substring]) -> Bool {
        var index = 0
        for element in path {
            if element == .recursiveWildcard { return true }
            guard index < parts.count, element ~= parts[index] else { return false }
            index += 1
        }
        return index == parts.count
    }
}
