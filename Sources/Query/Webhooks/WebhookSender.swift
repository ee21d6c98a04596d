import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Postgres
import Shared

/// Makes one attempt at a time. Connects to exactly the address that was checked: a name that is asked for twice may say something
/// else the second time.
struct WebhookSender: Sendable {
    /// Of an answer, which says nothing to us beyond its head.
    private static let maxAnswer = 64 * 1024

    let addresses: AddressLookup
    /// Of one attempt, with finding the address.
    var timeLimit = Duration.seconds(15)

    /// - Parameters:
    ///   - keys: each signs.
    ///   - attempt: from 1 on. Where a name has several addresses, each attempt takes the next.
    func send(
        _ message: WebhookMessage, to target: WebhookURL, signedBy keys: [WebhookKey], attempt: Int, at now: Timestamp
    ) async -> SendOutcome {
        let deadline = NIODeadline.now() + .nanoseconds(Int64(timeLimit / .nanoseconds(1)))
        let address: String
        do {
            let found = try await addresses.addresses(of: target.host, within: timeLimit)
            address = found[max(0, attempt - 1) % found.count]
        } catch {
            return .failed(error == .refused ? "the address is refused" : "the name has no address")
        }
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: Self.configuration(target, address))
        let outcome: SendOutcome
        do {
            let response = try await client.execute(request(message, target, keys, now), deadline: deadline)
            outcome = SendOutcome(response, at: now)
            await drain(response.body)
        } catch {
            outcome = .failed(Self.reason(error))
        }
        try? await client.shutdown()
        return outcome
    }

    private func request(
        _ message: WebhookMessage, _ target: WebhookURL, _ keys: [WebhookKey], _ now: Timestamp
    ) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: target.text)
        request.method = .POST
        request.headers = [
            "Content-Type": "application/json", "User-Agent": "Pulsegate", "webhook-id": message.id.lowercaseString,
            "webhook-timestamp": String(now.seconds),
            "webhook-signature": keys.map { $0.signature(of: message, at: now.seconds) }.joined(separator: " "),
        ]
        request.body = .bytes(ByteBuffer(string: message.body))
        return request
    }

    /// Without redirects, which would lead past the check, and proxies.
    private static func configuration(_ target: WebhookURL, _ address: String) -> HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.dnsOverride = [target.host: address, "[\(target.host)]": address]
        configuration.httpVersion = .http1Only
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.timeout.connect = .seconds(5)
        return configuration
    }

    /// So that whoever is still writing is not cut off at once; not for long, and not much.
    private func drain(_ body: HTTPClientResponse.Body) async {
        try? await Duration.seconds(1).orOverdue {
            var read = 0
            for try await part in body where read < Self.maxAnswer {
                read += part.readableBytes
                if read >= Self.maxAnswer { break }
            }
        }
    }

    /// Tells neither what was sent nor what came back.
    private static func reason(_ error: any Error) -> String {
        switch error as? HTTPClientError {
        case .deadlineExceeded?, .connectTimeout?, .readTimeout?, .writeTimeout?: return "time-out"
        case .tlsHandshakeTimeout?: return "time-out of TLS"
        case .remoteConnectionClosed?: return "the connection was closed"
        default: break
        }
        let type = "\(type(of: error))"
        if type.contains("SSL") { return "TLS failed" }
        if type.contains("Connection") || error is IOError { return "no connection" }
        return type.contains("HTTP") ? "the answer is not HTTP" : "failed: \(type)"
    }
}
