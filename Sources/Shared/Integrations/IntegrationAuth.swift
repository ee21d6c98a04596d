import Foundation

/// How a network server proves who it is.
package enum IntegrationAuth: String, CaseIterable, Codable, Sendable {
    case hmac
    case standardWebhooks = "standard-webhooks"
    case header
    case basic

    /// At least 190 bits from the system's CSPRNG, in the form that the scheme's senders take.
    package func newSecret() -> String {
        switch self {
        case .standardWebhooks: return Self.newWebhookSecret()
        case .hmac, .header, .basic:
            return Base62.random(40)
        }
    }

    /// As Standard Webhooks write one: `whsec_` and 256 bits in base64.
    package static func newWebhookSecret() -> String {
        var random = SystemRandomNumberGenerator()
        let bytes = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        return "whsec_" + Data(bytes).base64EncodedString()
    }
}

/// What a network server writes.
package enum IntegrationDialect: String, CaseIterable, Codable, Sendable {
    case generic, chirpstack, tts, actility
}
