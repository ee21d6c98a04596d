/// How an integration's sender proves itself.
enum WebhookAuthentication: Hashable, Sendable {
    /// `X-Webhook-Signature`: HMAC-SHA256 over the raw body, in hex.
    case hmac
    /// https://www.standardwebhooks.com, symmetric signatures (`v1`).
    case standardWebhooks
    /// The secret itself in a header; for `Authorization` a `Bearer ` before it is allowed.
    case header(name: String)
    /// RFC 7617, the secret being the password.
    case basic(username: String)

    /// As an integration's row has it; nil for an unknown `auth` or one that lacks its name.
    init?(auth: String, headerName: String?, username: String?) {
        switch (auth, headerName, username) {
        case ("hmac", _, _): self = .hmac
        case ("standard-webhooks", _, _): self = .standardWebhooks
        case ("header", let name?, _) where !name.isEmpty: self = .header(name: name)
        case ("basic", _, let username?): self = .basic(username: username)
        default: return nil
        }
    }
}

/// One active secret of an integration, decrypted. It shows itself nowhere.
struct SecretMaterial: Sendable, CustomStringConvertible, CustomReflectable {
    /// HMAC key, or the bytes to compare with.
    let key: [UInt8]

    /// - Parameter shown: the secret as its owner got to see it, in UTF-8.
    /// - Returns: nil for an empty secret, and for one that can't be a key of Standard Webhooks
    ///   (base64 of 24 to 64 bytes, `whsec_` before it).
    init?(shown: [UInt8], for authentication: WebhookAuthentication) {
        guard case .standardWebhooks = authentication else {
            guard !shown.isEmpty else { return nil }
            key = shown
            return
        }
        let prefix = "whsec_".utf8
        guard shown.starts(with: prefix), let key = Base64.decode(shown.dropFirst(prefix.count)),
            (24...64).contains(key.count)
        else { return nil }
        self.key = key
    }

    init?(shown: String, for authentication: WebhookAuthentication) {
        self.init(shown: Array(shown.utf8), for: authentication)
    }

    fileprivate init(key: [UInt8]) { self.key = key }

    /// Stands in where there is no secret, so that refusing takes as long as comparing. Drawn at start.
    static let decoy = SecretMaterial(key: (0..<32).map { _ in UInt8.random(in: .min ... .max) })

    var description: String { "SecretMaterial(…)" }
    var customMirror: Mirror { Mirror(self, children: []) }
}

/// Why a webhook request was not let in. Its sender never learns which; the counter `reason` does.
enum RefusalReason: String, Error, Sendable, CaseIterable {
    case integrationUnknown = "integration_unknown"
    case integrationInactive = "integration_inactive"
    case noActiveSecret = "no_active_secret"
    case signatureMissing = "signature_missing"
    case signatureMalformed = "signature_malformed"
    case signatureMismatch = "signature_mismatch"
    case messageIDInvalid = "message_id_invalid"
    case timestampInvalid = "timestamp_invalid"
    case timestampTooOld = "timestamp_too_old"
    case timestampTooNew = "timestamp_too_new"
}
