/// A store gateway's credential: `store_{tenant}_{store}_{random}`. The database keeps only its SHA-256 and a prefix.
package struct StoreKey: Hashable, Sendable {
    /// Characters of the random part that we make: 238 bits.
    static let randomCount = 40

    /// What the gateway sends. The one place where the secret can be read.
    package let secret: String
    package let tenantSlug: String
    package let storeCode: String

    /// A new key.
    package static func make(tenant: Slug, store: Code) -> StoreKey {
        StoreKey(
            secret: "store_\(tenant)_\(store)_\(Base62.random(randomCount))", tenantSlug: tenant.rawValue,
            storeCode: store.rawValue)
    }

    private init(secret: String, tenantSlug: String, storeCode: String) {
        self.secret = secret
        self.tenantSlug = tenantSlug
        self.storeCode = storeCode
    }

    /// Takes a key apart: nil unless it has the form of one, with 32 to 128 characters of random part. Nothing is said
    /// about whether anybody issued it.
    package init?(parsing text: String) {
        let bytes = text.utf8
        let longest = 6 + 49 + 1 + 32 + 1 + 128
        guard bytes.count <= longest, bytes.starts(with: "store_".utf8) else { return nil }
        let parts = bytes.dropFirst(6).split(separator: UInt8(ascii: "_"), omittingEmptySubsequences: false)
        guard parts.count == 3, Slug.isValid(parts[0]), Code.isValid(parts[1]), (32...128).contains(parts[2].count),
            parts[2].allSatisfy(\.isBase62)
        else { return nil }
        secret = text
        tenantSlug = String(Substring(parts[0]))
        storeCode = String(Substring(parts[1]))
    }

    /// What is stored and compared, in constant time.
    package var sha256: [UInt8] { Shared.sha256(secret) }

    /// Enough to recognise a key by, too little to use it: all but the random part, and four characters of that.
    package var prefix: String {
        "store_\(tenantSlug)_\(storeCode)_\(secret.suffix(secret.utf8.count - publicCount).prefix(4))"
    }

    private var publicCount: Int { 6 + tenantSlug.utf8.count + 1 + storeCode.utf8.count + 1 }
}

/// Keys that find their way into a log or a message don't bring the secret along.
extension StoreKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { prefix + "…" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
