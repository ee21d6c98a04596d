import Postgres
import Shared

/// A body whose sender was proven. Only `SignatureVerifier` makes one, or the spool had it from one; dialects take nothing else.
struct VerifiedBody: Sendable {
    /// As received, before any decoding.
    let bytes: [UInt8]
    /// The sender's `webhook-id` (Standard Webhooks): seen before, the request adds nothing.
    let messageID: String?

    fileprivate init(bytes: [UInt8], messageID: String?) {
        self.bytes = bytes
        self.messageID = messageID
    }

    /// What was verified before it was spooled.
    init(spooled body: [UInt8], messageID: String?) {
        self.init(bytes: body, messageID: messageID)
    }
}

/// Decides whether a webhook request comes from whom it says.
struct SignatureVerifier: Sendable {
    /// Values of a header by its lowercase name, in order; empty when it is absent.
    typealias Headers = (String) -> [String]

    /// More signatures than a rotation needs, few enough that none can be guessed and no work be had.
    static let maxSignatures = 8

    let authentication: WebhookAuthentication

    /// Every secret is tried against every signature, whichever fits first. Without a secret the same work is done
    /// with a decoy and the answer is no; an unknown or inactive integration should be refused through this path too.
    ///
    /// - Parameter secrets: those active at `now`.
    func verify(
        _ body: [UInt8], headers: Headers, secrets: [SecretMaterial], now: Timestamp
    ) -> Result<VerifiedBody, RefusalReason> {
        let tried = secrets.isEmpty ? [SecretMaterial.decoy] : secrets
        var messageID: String?
        let refusal: RefusalReason?
        switch authentication {
        case .hmac:
            refusal = BodySignature.refusal(body, headers: headers, secrets: tried)
        case .standardWebhooks:
            let message = StandardWebhooksMessage(headers: headers)
            refusal = message.refusal(body, secrets: tried, now: now)
            messageID = message.id
        case .header(let name):
            refusal = StaticCredential.refusal(headers: headers, header: name, secrets: tried)
        case .basic(let username):
            refusal = StaticCredential.refusal(headers: headers, username: username, secrets: tried)
        }
        guard !secrets.isEmpty else { return .failure(.noActiveSecret) }
        if let refusal { return .failure(refusal) }
        return .success(VerifiedBody(bytes: body, messageID: messageID))
    }
}
