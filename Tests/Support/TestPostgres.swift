import FoundationEssentials
import Glibc
import Postgres

/// The throw-away server of `make test`.
package enum TestPostgres {
    package struct Unset: Error, CustomStringConvertible {
        package let description = "TEST_DATABASE_URL is not set: run the tests with `make test`"
    }

    /// A superuser's URL, `postgresql://user@host:port/database`.
    package static func url() throws -> String {
        guard let value = getenv("TEST_DATABASE_URL"), value.pointee != 0 else { throw Unset() }
        return String(cString: value)
    }

    /// The same server, with another database or user; or, with `host`, what stands in front of it. Of several hosts the one is meant
    /// that takes writes.
    package static func url(
        database: String? = nil, user: String? = nil, password: String? = nil, host: String? = nil
    ) throws -> String {
        var parts = try url().parts()
        if let host { parts.hosts = host }
        if parts.hosts.contains(",") { parts.query = "?target_session_attrs=read-write" }
        if let database { parts.path = "/" + database }
        if let user { parts.user = user }
        if let password { parts.password = password }
        return parts.text
    }

    /// Makes a database of its own for the time of `body`, from `template` if one is named.
    package static func withDatabase<Value: Sendable>(
        template: String? = nil, _ body: @Sendable (_ url: String) async throws -> Value
    ) async throws -> Value {
        let name = try await createDatabase(template: template)
        do {
            let value = try await body(url(database: name))
            try await dropDatabase(name)
            return value
        } catch {
            try? await dropDatabase(name)
            throw error
        }
    }

    /// - Parameter host: another server than the tests' own.
    /// - Returns: the new database's name, unique on its server.
    package static func createDatabase(template: String? = nil, host: String? = nil) async throws -> String {
        let name = "test_" + UUID().uuidString.lowercased().filter { $0 != "-" }
        let from: Fragment = .identifier(template ?? "template1")
        try await onServer("CREATE DATABASE \(.identifier(name)) TEMPLATE \(from)", host: host)
        return name
    }

    /// Ends whoever is still connected to it.
    package static func dropDatabase(_ name: String, host: String? = nil) async throws {
        try await onServer("DROP DATABASE IF EXISTS \(.identifier(name)) WITH (FORCE)", host: host)
    }

    private static func onServer(_ command: Command, host: String?) async throws {
        let configuration = ConnectionConfiguration(
            url: try url(host: host), applicationName: "tests", statementTimeout: .seconds(120))
        let connection = try await PostgresConnection.connect(configuration)
        try await connection.run(command)
        await connection.close()
    }
}

/// Just enough of a URL to change its parts; hosts may be several, which Foundation's parser refuses.
private struct URLParts {
    var scheme: String
    var user: String?
    var password: String?
    var hosts: String
    var path: String
    var query: String

    var text: String {
        let credentials = user.map { $0 + (password.map { ":" + $0 } ?? "") + "@" } ?? ""
        return scheme + "://" + credentials + hosts + path + query
    }
}

extension String {
    fileprivate func parts() throws -> URLParts {
        guard let colon = firstIndex(of: ":"), self[colon...].hasPrefix("://") else { throw TestPostgres.Unset() }
        var rest = self[colon...].dropFirst(3)
        let query = rest.firstIndex(of: "?").map { String(rest[$0...]) } ?? ""
        rest = rest.prefix { $0 != "?" }
        let authority = rest.prefix { $0 != "/" }
        let parts = authority.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        let credentials = parts.count == 2 ? parts[0].split(separator: ":", maxSplits: 1) : []
        return URLParts(
            scheme: String(self[..<colon]), user: credentials.first.map(String.init),
            password: credentials.count == 2 ? String(credentials[1]) : nil,
            hosts: String(parts.last ?? ""), path: String(rest.dropFirst(authority.count)), query: query)
    }
}
