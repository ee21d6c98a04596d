import AsyncHTTPClient
import Foundation
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import Shared

/// The query API as the demo's people use it.
struct DemoAPI: Sendable {
    struct Thing: Decodable {
        let id: String
    }

    struct List<Item: Decodable>: Decodable {
        let data: [Item]
    }

    private struct SignedIn: Decodable {
        let accessToken: String

        enum CodingKeys: String, CodingKey { case accessToken = "access_token" }
    }

    private struct Credentials: Encodable {
        let email, password: String
    }

    private let url: String
    private let token: String?

    /// - Returns: nil where nobody is let in.
    static func signIn(_ demo: DemoFile) async throws -> DemoAPI? {
        let stranger = DemoAPI(url: demo.queryURL, token: nil)
        let credentials = Credentials(email: demo.email, password: demo.password)
        return try await stranger.post("/auth/login", credentials, as: SignedIn.self).map {
            DemoAPI(url: demo.queryURL, token: $0.accessToken)
        }
    }

    private init(url: String, token: String?) {
        (self.url, self.token) = (url, token)
    }

    /// - Returns: nil where it was refused; so of the others.
    func get<Answer: Decodable>(_ path: String, as type: Answer.Type) async throws -> Answer? {
        try await send(.GET, path, nil, as: type)
    }

    func post<Answer: Decodable>(_ path: String, _ body: some Encodable, as type: Answer.Type) async throws -> Answer? {
        try await send(.POST, path, try JSONEncoder().encode(body), as: type)
    }

    func post(_ path: String) async throws -> Thing? {
        try await send(.POST, path, nil, as: Thing.self)
    }

    private func send<Answer: Decodable>(
        _ method: HTTPMethod, _ path: String, _ body: Data?, as type: Answer.Type
    ) async throws -> Answer? {
        var request = HTTPClientRequest(url: url + "/api/v1" + path)
        request.method = method
        request.headers.add(name: "Content-Type", value: "application/json")
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        if let body { request.body = .bytes(ByteBuffer(data: body)) }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(15))
        let answer = try await response.body.collect(upTo: 1 << 20)
        guard (200..<300).contains(response.status.code) else { return nil }
        return try JSONDecoder().decode(type, from: Data(answer.readableBytesView))
    }
}
