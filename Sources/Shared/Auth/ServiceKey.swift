/// A program's credential for the query API: `svc_{tenant}_{random}`. The database keeps only its SHA-256 and a prefix.
package struct ServiceKey: Hashable, Sendable {
    /// Characters of the random part that we make: 238 bits.
    static let randomCount = 40
    package static let mark = "svc_"

    /// What the program sends. The one place where the secret can be read.
    package let secret: String
    package let tenantSlug: String

    /// A new key.
    package static func make(tenant: Slug) -> ServiceKey {
        ServiceKey(secret: "\(mark)\(tenant)_\(Base62.random(randomCount))", tenantSlug: tenant.rawValue)
    }

    private init(secret: String, tenantSlug: String) {
        (self.secret, self.tenantSlug) = (secret, tenantSlug)
    }

    /// Takes a key apart: nil unless it has the form of one, with 32 to 128 characters of random part. Nothing is said about
    /// whether anybody issued it.
    package init?(parsing text: String) {
        let bytes = text.utf8
        guard bytes.count <= 4 + 49 + 1 + 128, bytes.starts(with: Self.mark.utf8) else { return nil }
        let parts = bytes.dropFirst(4).split(separator: UInt8(ascii: "_"), omittingEmptySubsequences: false)
        guard parts.count == 2, Slug.isValid(parts[0]), (32...128).contains(parts[1].count),
            parts[1].allSatisfy(\.isBase62)
        else { return nil }
        secret = text
        tenantSlug = String(Substring(parts[0]))
    }

    /// What is stored and compared.
    package var sha256: [UInt8] { Shared.sha256(secret) }

    /// Enough to recognise a key by, too little to use it: all but the random part, and four characters of that.
    package var prefix: String { String(secret.prefix(4 + tenantSlug.utf8.count + 1 + 4)) }
}

/// Keys that find their way into a log or a message don't bring the secret along.
extension ServiceKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { prefix + "…" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
