import Foundation

/// A token that works once (to renew a session, to set a forgotten password, to join a tenant): the tenant's UUID, since whose row it is must
/// be known before the row can be looked for, and 256 bits of chance. The database keeps its SHA-256.
package struct OpaqueToken: Hashable, Sendable {
    private static let randomCount = 32

    /// What the client holds: 64 characters of base64url.
    package let secret: String
    package let tenantID: UUID

    /// A new one.
    package static func make(tenant: UUID) -> OpaqueToken {
        var generator = SystemRandomNumberGenerator()
        let random = (0..<randomCount).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        return OpaqueToken(
            secret: Base64URL.encode(withUnsafeBytes(of: tenant.uuid) { Array($0) } + random), tenantID: tenant)
    }

    private init(secret: String, tenantID: UUID) {
        self.secret = secret
        self.tenantID = tenantID
    }

    /// Nil unless it has the form of one.
    package init?(parsing text: String) {
        guard text.utf8.count == 64, let bytes = Base64URL.decode(text), bytes.count == 16 + Self.randomCount else {
            return nil
        }
        secret = text
        tenantID = bytes.withUnsafeBytes { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
    }

    package var sha256: [UInt8] { Shared.sha256(secret) }
}

extension OpaqueToken: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "opaque token" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
