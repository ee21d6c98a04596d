import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Postgres
import Shared

/// Books places of the demo company over the API, as people would: some of them somebody else has, and some are given back.
struct DemoBooker: Sendable {
    /// Seconds between two wishes.
    static let interval = 6.0
    private static let names = ["Ana", "Bruno", "Carmen", "Diego", "Elena", "Felipe", "Gloria", "Hugo"]

    private struct Space: Decodable {
        let id: String
    }

    private struct List: Decodable {
        let data: [Space]
    }

    private struct SignedIn: Decodable {
        let accessToken: String

        enum CodingKeys: String, CodingKey { case accessToken = "access_token" }
    }

    private struct Made: Decodable {
        let id: String
    }

    let demo: DemoFile
    let tally: SharedTally

    func run() async throws {
        while true {
            // Whatever goes wrong: the API may be away, or the token too old.
            do { try await bookForAWhile() } catch is CancellationError { return } catch {}
            try await DemoFeed.pause(Self.interval)
        }
    }

    /// As long as one token lasts.
    private func bookForAWhile() async throws {
        let credentials = ["email": demo.email, "password": demo.password]
        let signedIn = try await send(.POST, "/auth/login", credentials, as: SignedIn.self, token: nil)
        guard let token = signedIn?.accessToken else { return }
        var spaces: [String] = []
        for site in ["P01", "O01", "T01"] {
            let list = try await send(.GET, "/spaces?site=\(site)&limit=12", [:], as: List.self, token: token)
            spaces += list?.data.map(\.id) ?? []
        }
        for _ in 0..<100 {
            guard let space = spaces.randomElement() else { return }
            if let made = try await book(space, token) {
                tally.booked()
                if Bool.random() {
                    _ = try await send(.POST, "/reservations/\(made.id)/cancel", [:], as: Made.self, token: token)
                }
            } else {
                tally.placeTaken()
            }
            try await DemoFeed.pause(Self.interval * .random(in: 0.5...1.5))
        }
    }

    /// For some hour of the working days to come.
    private func book(_ space: String, _ token: String) async throws -> Made? {
        let hour = Timestamp.now().seconds / 3_600 + Int64.random(in: 1...48)
        let start = Timestamp(secondsSinceEpoch: hour * 3_600)
        let wish = [
            "space_id": space, "starts_at": start.rfc3339,
            "ends_at": start.adding(seconds: 1_800 * Int64.random(in: 1...4)).rfc3339, "note": "Demo",
            "request_id": UUID.v7().lowercaseString, "holder": Self.names.randomElement() ?? "",
        ]
        return try await send(.POST, "/reservations", wish, as: Made.self, token: token)
    }

    /// - Returns: nil where it was refused.
    private func send<Answer: Decodable>(
        _ method: HTTPMethod, _ path: String, _ fields: [String: String], as type: Answer.Type, token: String?
    ) async throws -> Answer? {
        var request = HTTPClientRequest(url: demo.queryURL + "/api/v1" + path)
        request.method = method
        request.headers.add(name: "Content-Type", value: "application/json")
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        if !fields.isEmpty { request.body = .bytes(ByteBuffer(bytes: try JSONEncoder().encode(Wish(fields: fields)))) }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(15))
        let body = try await response.body.collect(upTo: 1 << 20)
        guard (200..<300).contains(response.status.code) else { return nil }
        return try JSONDecoder().decode(type, from: Data(body.readableBytesView))
    }

    /// A flat object, but for who holds the place.
    private struct Wish: Encodable {
        let fields: [String: String]

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            var plain = fields.mapValues(Value.text)
            if let holder = fields["holder"] { plain["holder"] = .object(["name": holder]) }
            try container.encode(plain)
        }

        private enum Value: Encodable {
            case text(String)
            case object([String: String])

            func encode(to encoder: any Encoder) throws {
                var container = encoder.singleValueContainer()
                switch self {
                case .text(let text): try container.encode(text)
                case .object(let object): try container.encode(object)
                }
            }
        }
    }
}
