/// An opaque token of 256 bits that gets a new access token once. The database keeps its SHA-256.
package struct RefreshToken: Hashable, Sendable {
    /// What the client holds: 43 characters of base64url.
    package let secret: String

    /// A new one.
    package static func make() -> RefreshToken {
        var generator = SystemRandomNumberGenerator()
        return RefreshToken(
            secret: Base64URL.encode((0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }))
    }

    private init(secret: String) {
        self.secret = secret
    }

    /// Nil unless it has the form of one.
    package init?(parsing text: String) {
        guard text.utf8.count == 43, Base64URL.decode(text)?.count == 32 else { return nil }
        secret = text
    }

    package var sha256: [UInt8] { Shared.sha256(secret) }
}

extension RefreshToken: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "refresh token" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
