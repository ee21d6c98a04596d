import AsyncHTTPClient
import Foundation
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import Postgres
import Shared

/// Resend's HTTP API (https://resend.com/docs/api-reference/emails/send-email).
struct ResendNotifier: Notifier {
    private struct Body: Encodable {
        let from: String
        let to: [String]
        let subject: String
        let text: String
    }

    let client: HTTPClient
    /// `https://api.resend.com`.
    let baseURL: String
    let apiKey: String
    /// `Pulsegate <no-reply@example.com>`.
    let sender: String
    var timeout = TimeAmount.seconds(10)

    func send(_ letter: Letter) async throws {
        var request = HTTPClientRequest(url: "\(baseURL)/emails")
        request.method = .POST
        request.headers.add(name: "Authorization", value: "Bearer \(apiKey)")
        request.headers.add(name: "Content-Type", value: "application/json")
        request.headers.add(name: "Idempotency-Key", value: letter.id.lowercaseString)
        let body = Body(from: sender, to: [letter.recipient], subject: letter.subject, text: letter.text)
        request.body = .bytes(ByteBuffer(data: try JSONEncoder().encode(body)))
        let status: HTTPResponseStatus
        let retryAfter: Duration?
        do {
            let response = try await client.execute(request, timeout: timeout)
            status = response.status
            retryAfter = RetryAfter(response.headers, at: .now())?.pause
            // Read to its end, so that the connection can be used again.
            _ = try? await response.body.collect(upTo: 64 * 1024)
        } catch {
            throw NotTakenNow(reason: "\(type(of: error))")
        }
        switch status.code {
        case 200..<300: return
        // A wrong key is the operator's to mend.
        case 401, 403, 408, 409, 429, 500...: throw NotTakenNow(reason: "status \(status.code)", retryAfter: retryAfter)
        default: throw NeverTaken(reason: "status \(status.code)")
        }
    }
}
