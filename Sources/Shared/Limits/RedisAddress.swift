import Foundation

/// `redis://[user:password@]host[:port][/database]`.
package struct RedisAddress: Sendable {
    let host: String
    let port: Int32
    let user: String?
    let password: String?
    let database: Int

    /// Nil for any other text.
    package init?(_ text: String) {
        guard let url = URLComponents(string: text), url.scheme == "redis", let host = url.host, !host.isEmpty,
            url.query == nil, url.fragment == nil, let port = Int32(exactly: url.port ?? 6_379),
            (1...65_535).contains(port)
        else { return nil }
        let path = url.path.drop { $0 == "/" }
        guard let database = path.isEmpty ? 0 : Int(path), (0...65_535).contains(database) else { return nil }
        self.host = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        self.port = port
        user = url.user.flatMap { $0.isEmpty ? nil : $0 }
        password = url.password
        self.database = database
    }
}
