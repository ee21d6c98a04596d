import AsyncHTTPClient
import Crypto
import Foundation
import NIOCore
import NIOHTTP1

/// Talks to the processes as gateways, network servers and people do.
struct TestClient: Sendable {
    struct Answer: Sendable {
        let status: Int
        fileprivate let headers: HTTPHeaders
        let body: Data

        /// The body as a JSON object; empty when it is none.
        var json: [String: any Sendable] {
            ((try? JSONSerialization.jsonObject(with: body)) as? [String: any Sendable]) ?? [:]
        }

        var text: String { String(decoding: body, as: UTF8.self) }

        func header(_ name: String) -> String? { headers.first(name: name) }
    }

    enum Method: String {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"
    }

    private let http: HTTPClient

    /// - Parameter connections: to one process at once; further requests wait.
    init(connections: Int = 8) {
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = connections
        configuration.timeout = .init(connect: .seconds(5), read: .seconds(30))
        // A refused connection is an answer here. Trying again by itself the client backs off for longer with each failure, and
        // after a process was killed it would still be waiting when that process has long been back.
        configuration.connectionPool.retryConnectionEstablishment = false
        http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    func shutDown() async throws {
        try await http.shutdown()
    }

    func send(
        _ method: Method, _ url: String, headers: [String: String] = [:], body: Data? = nil
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: url)
        request.method = HTTPMethod(rawValue: method.rawValue)
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let body { request.body = .bytes(ByteBuffer(bytes: body)) }
        let response = try await http.execute(request, timeout: .seconds(30))
        let received = try await response.body.collect(upTo: 16 << 20)
        return Answer(
            status: Int(response.status.code), headers: response.headers, body: Data(received.readableBytesView))
    }

    /// Nil when nobody answers.
    func status(of url: String) async -> Int? {
        try? await send(.get, url).status
    }

    func post(_ url: String, json: Any, headers: [String: String] = [:]) async throws -> Answer {
        let body = try JSONSerialization.data(withJSONObject: json, options: .sortedKeys)
        return try await send(
            .post, url, headers: headers.merging(["Content-Type": "application/json"]) { given, _ in given }, body: body
        )
    }

    /// A webhook of a `generic` integration with `hmac`.
    func postSigned(
        _ url: String, json: Any, secret: String, headers: [String: String] = [:]
    ) async throws -> Answer {
        let body = try JSONSerialization.data(withJSONObject: json, options: .sortedKeys)
        return try await send(
            .post, url,
            headers: headers.merging(
                ["Content-Type": "application/json", "X-Webhook-Signature": Self.sign(body, secret)]
            ) { _, own in own }, body: body)
    }

    static func sign(_ body: Data, _ secret: String) -> String {
        let code = HMAC<SHA256>.authenticationCode(for: body, using: SymmetricKey(data: Data(secret.utf8)))
        return "sha256=" + code.map { String(format: "%02x", $0) }.joined()
    }
}
