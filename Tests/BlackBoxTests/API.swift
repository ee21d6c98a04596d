import Foundation

/// The query API as one principal uses it.
struct API: Sendable {
    let installation: Installation
    let token: String
    /// Nil for the installation's first query process.
    var url: String?

    /// The ids of a list.
    func get(_ path: String) async throws -> [String] {
        let answer = try await send(.get, path, nil)
        return (answer.json["data"] as? [[String: Any]] ?? []).compactMap { $0["id"] as? String }
    }

    func send(_ method: TestClient.Method, _ path: String, _ json: String?) async throws -> TestClient.Answer {
        try await installation.client.send(
            method, (url ?? installation.queryURL) + "/api/v1" + path,
            headers: ["Authorization": "Bearer \(token)", "Content-Type": "application/json"],
            body: json.map { Data($0.utf8) })
    }
}
