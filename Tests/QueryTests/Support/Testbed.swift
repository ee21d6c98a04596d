import Foundation
import Hummingbird
import HummingbirdTesting
import NIOCore
import Postgres
import Shared
import Support
import Testing

@testable import Query

/// The API as it is, on a database of its own, as the role of the query process.
struct Testbed: Sendable {
    let client: any TestClientProtocol
    let database: MigratedDatabase
    let services: QueryServices
    let access: RouteList

    /// - Parameter accessTimeToLive: how long the caches of sign-in believe what they know.
    static func run(
        accessTimeToLive: Duration = .seconds(4), failures: FailureThrottle.Limits = .init(),
        options: QueryServices.Options = .init(), _ body: @escaping @Sendable (Testbed) async throws -> Void
    ) async throws {
        var options = options
        (options.accessTimeToLive, options.failures) = (accessTimeToLive, failures)
        try await run(options, body)
    }

    private static func run(
        _ options: QueryServices.Options, _ body: @escaping @Sendable (Testbed) async throws -> Void
    ) async throws {
        try await TwoTenants.withDatabase { database in
            try await database.withPool(as: .query) { pool in
                let key = try #require(TokenKey(secret: "a secret of the tests, long enough for it"))
                let secretBox = try SecretBox(masterKey: "k1:" + Data(repeating: 7, count: 32).base64EncodedString())
                let services = await QueryServices(
                    database: pool, tokenKeys: TokenKeys(current: key), secretBox: secretBox,
                    passwords: PasswordHasher(threads: 2),
                    metrics: MetricRegistry(),
                    logger: .silent, options)
                let access = buildRouter(services).access
                let app = Application(router: buildEdge(services), logger: .silent)
                try await withThrowingTaskGroup { group in
                    group.addTask { try await services.postman.run() }
                    group.addTask { try await services.exporter.run() }
                    try await app.test(.router) { client in
                        try await body(
                            Testbed(client: client, database: database, services: services, access: access))
                    }
                    group.cancelAll()
                }
            }
        }
    }

    func get(_ path: String, as token: String? = nil, headers: HTTPFields = [:]) async throws -> Answered {
        var headers = headers
        if let token { headers[.authorization] = "Bearer \(token)" }
        return try await send(.get, path, headers: headers)
    }

    /// What a row of the access table asks for its own.
    func ask(_ row: AccessRow, as token: String?) async throws -> Answered {
        try await ask(row, for: row.own, as: token)
    }

    /// The same, of something else.
    func ask(
        _ row: AccessRow, for path: String, as token: String?, headers: HTTPFields = [:]
    ) async throws -> Answered {
        var headers = headers
        if row.body != nil { headers[.contentType] = row.type }
        return try await send(row.method, path, row.body, as: token, headers: headers)
    }

    /// With a body of JSON, where there is one.
    func send(
        _ method: HTTPRequest.Method, _ path: String, _ json: String?, as token: String? = nil,
        headers: HTTPFields = [:]
    ) async throws -> Answered {
        var headers = headers
        if json != nil, headers[.contentType] == nil { headers[.contentType] = "application/json" }
        if let token { headers[.authorization] = "Bearer \(token)" }
        return try await send(method, path, headers: headers, body: json.map { ByteBuffer(string: $0) })
    }

    func post(
        _ path: String, _ body: String, as token: String? = nil, headers: HTTPFields = [:]
    ) async throws -> Answered {
        try await send(.post, path, body, as: token, headers: headers)
    }

    func send(
        _ method: HTTPRequest.Method, _ path: String, headers: HTTPFields = [:], body: ByteBuffer? = nil
    ) async throws -> Answered {
        try await client.execute(uri: path, method: method, headers: headers, body: body) { Answered($0) }
    }

    /// Signs in and hands back the access token.
    func token(_ user: String, tenant: String? = nil) async throws -> String {
        try #require(try await signIn(user, tenant: tenant).json["access_token"] as? String)
    }

    func signIn(_ user: String, tenant: String? = nil) async throws -> Answered {
        let chosen = tenant.map { ",\"tenant\":\"\($0)\"" } ?? ""
        let answered = try await post(
            "/api/v1/auth/login",
            "{\"email\":\"\(TwoTenants.email(user))\",\"password\":\"\(TwoTenants.password)\"\(chosen)}")
        try #require(answered.status == .ok, "\(answered.text)")
        return answered
    }
}

/// A response with its body as text and as JSON.
struct Answered {
    let status: HTTPResponse.Status
    let headers: HTTPFields
    let text: String

    init(_ response: TestResponse) {
        status = response.status
        headers = response.headers
        text = String(buffer: response.body)
    }

    /// Empty where the body is no object.
    var json: [String: Any] {
        (try? JSONSerialization.jsonObject(with: Data(text.utf8))) as? [String: Any] ?? [:]
    }

    /// The items of a list.
    var data: [[String: Any]] { json["data"] as? [[String: Any]] ?? [] }

    var code: String? { json["code"] as? String }

    /// `field: code` of a 422's faults.
    var faults: [String] {
        (json["errors"] as? [[String: Any]] ?? []).map { "\($0["field"] ?? ""): \($0["code"] ?? "")" }
    }
}

extension [[String: Any]] {
    /// One field of each item.
    func texts(_ name: String) -> [String] { compactMap { $0[name] as? String } }
}
