import AsyncHTTPClient
import Crypto
import Foundation
import NIOCore
import NIOHTTP1
import Synchronization

/// Posts to ingest until it takes what it is given, and counts.
struct FeedSender: Sendable {
    /// What happened since the last report.
    struct Tally: Sendable {
        var requests = 0
        var records = 0
        var refused = 0
        /// Reservations that were made, and wishes that were refused: mostly somebody else had the place.
        var booked = 0
        var taken = 0
        var isAway = false
    }

    let ingestURL: String
    let integration: DemoFile.IntegrationPart
    let tally: SharedTally

    func post(_ batch: StoreSimulation.Batch, key: String) async throws {
        let body = try JSONEncoder().encode(batch)
        let headers = [("Authorization", "Bearer \(key)")]
        try await post(body, to: "/v1/metrics/batch", headers, records: batch.metrics.count)
    }

    /// Signed as the integration wants it: HMAC-SHA256 over the very bytes that are sent.
    func post(_ uplink: SensorSimulation.Uplink) async throws {
        let body = try JSONEncoder().encode(uplink)
        let code = HMAC<SHA256>.authenticationCode(
            for: body, using: SymmetricKey(data: Data(integration.secret.utf8)))
        let hex = code.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        try await post(
            body, to: "/v1/webhooks/\(integration.id)", [("X-Webhook-Signature", "sha256=\(hex)")], records: 1)
    }

    /// The same request again, later and later, while ingest is away or overloaded: sending twice is safe.
    private func post(_ body: Data, to path: String, _ headers: [(String, String)], records: Int) async throws {
        var request = HTTPClientRequest(url: ingestURL + path)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/json")
        request.headers.add(name: "User-Agent", value: "pulsegate-demo/1")
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        request.body = .bytes(ByteBuffer(bytes: body))
        var pause = 0.5
        while true {
            try Task.checkCancellation()
            switch await outcome(of: request) {
            case .accepted: return tally.accepted(records)
            case .refused: return tally.refused()
            case .away:
                tally.away()
                try await Task.sleep(for: .seconds(pause * .random(in: 0.5...1)))
                pause = min(pause * 2, 20)
            }
        }
    }

    private enum Outcome {
        case accepted, refused, away
    }

    private func outcome(of request: HTTPClientRequest) async -> Outcome {
        do {
            let response = try await HTTPClient.shared.execute(request, timeout: .seconds(15))
            _ = try await response.body.collect(upTo: 1 << 20)
            return switch response.status.code {
            case 200..<300: .accepted
            case 429, 500...: .away
            default: .refused
            }
        } catch {
            return .away
        }
    }
}

/// Counted by many tasks, taken by the one that reports.
final class SharedTally: Sendable {
    private let tally = Mutex(FeedSender.Tally())

    func accepted(_ records: Int) {
        let isBack = tally.withLock { tally in
            defer { tally.isAway = false }
            tally.requests += 1
            tally.records += records
            return tally.isAway
        }
        if isBack { Console.complain("ingest answers again") }
    }

    func booked() {
        tally.withLock { $0.booked += 1 }
    }

    func placeTaken() {
        tally.withLock { $0.taken += 1 }
    }

    func refused() {
        tally.withLock { $0.refused += 1 }
    }

    /// Says so once, until ingest answers again.
    func away() {
        let wasThere = tally.withLock { tally in
            defer { tally.isAway = true }
            return !tally.isAway
        }
        if wasThere { Console.complain("ingest does not take what it is sent; trying again") }
    }

    func take() -> FeedSender.Tally {
        tally.withLock { tally in
            defer { tally = FeedSender.Tally(isAway: tally.isAway) }
            return tally
        }
    }
}
