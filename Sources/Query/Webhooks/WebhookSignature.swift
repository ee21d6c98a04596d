import Crypto
import Foundation
import NIOCore
import Postgres
import Shared

/// A secret of Standard Webhooks: `whsec_` and the key in base64.
struct WebhookKey: Sendable {
    private let key: SymmetricKey

    /// Nil for what is none.
    init?(_ secret: String) {
        guard secret.hasPrefix("whsec_"), let bytes = Data(base64Encoded: String(secret.dropFirst(6))) else {
            return nil
        }
        key = SymmetricKey(data: bytes)
    }

    /// `v1,<base64>` (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).
    func signature(of message: WebhookMessage, at seconds: Int64) -> String {
        var code = HMAC<SHA256>(key: key)
        code.update(data: Data("\(message.id.lowercaseString).\(seconds).".utf8))
        code.update(data: Data(message.body.utf8))
        return "v1," + Data(code.finalize()).base64EncodedString()
    }
}

/// What an endpoint is sent: the same bytes under the same id at every attempt.
struct WebhookMessage: Sendable {
    /// The event's, by which receivers know that they have had it already.
    let id: UUID
    let body: String

    init(_ event: UUID, type: String, at time: Timestamp, data: JSONB) {
        id = event
        var json = JSONWriter()
        json.object { object in
            object.field("id", event)
            object.field("type", type)
            object.field("timestamp", time)
            object.field("data", data)
        }
        body = String(buffer: json.buffer)
    }
}
