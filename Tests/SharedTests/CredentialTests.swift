import Foundation
import Shared
import Testing

struct CredentialTests {
    @Test func storeKeysComeBack() throws {
        let (slug, code) = (try #require(Slug("acme-2")), try #require(Code("T01")))
        let key = StoreKey.make(tenant: slug, store: code)
        #expect(key.secret.hasPrefix("store_acme-2_T01_"))
        #expect(key.secret.utf8.count == "store_acme-2_T01_".utf8.count + 40)
        let parsed = try #require(StoreKey(parsing: key.secret))
        #expect(parsed == key)
        #expect(parsed.tenantSlug == "acme-2")
        #expect(parsed.storeCode == "T01")
        #expect(parsed.sha256.count == 32)
        #expect(StoreKey.make(tenant: slug, store: code) != key)
    }

    @Test func storeKeysHideTheirSecret() throws {
        let key = StoreKey.make(tenant: try #require(Slug("acme")), store: try #require(Code("T01")))
        #expect(key.prefix == String(key.secret.prefix("store_acme_T01_".count + 4)))
        var dumped = ""
        dump(key, to: &dumped)
        for text in ["\(key)", String(reflecting: key), "\([key])", dumped] { #expect(!text.contains(key.secret)) }
        let token = OpaqueToken.make(tenant: UUID.v7())
        #expect(!"\([token])\(token)".contains(token.secret))
    }

    @Test(arguments: [
        "", "store_", "store_acme_T01", "store_acme_T01_", "store_acme_T01_short",
        "store_acme_T01_0123456789012345678901234567890", // 31 characters
        "Store_acme_T01_01234567890123456789012345678901", "store_Acme_T01_01234567890123456789012345678901",
        "store_acme_-T1_01234567890123456789012345678901", "store__T01_01234567890123456789012345678901",
        "store_acme__01234567890123456789012345678901", "store_acme_T01_0123456789012345678901234567890_",
        "store_acme_T01_x_01234567890123456789012345678901", "store_acme_T01_0123456789012345678901234567890é",
        "store_acme_T01_" + String(repeating: "a", count: 129), "svc_acme_01234567890123456789012345678901",
    ])
    func otherTextsAreNoStoreKeys(text: String) {
        #expect(StoreKey(parsing: text) == nil)
    }

    @Test func aStoreKeyOfTheShortestKind() throws {
        let key = try #require(StoreKey(parsing: "store_ab_T_01234567890123456789012345678901"))
        #expect(key.sha256 == sha256("store_ab_T_01234567890123456789012345678901"))
    }

    @Test func sha256OfAKnownText() {
        let hex = sha256("abc").map { String($0, radix: 16) }
        #expect(hex.prefix(4) == ["ba", "78", "16", "bf"])
        #expect(sha256("xabc".dropFirst()) == sha256("abc"))
    }

    @Test func serviceKeys() throws {
        let key = ServiceKey.make(tenant: try #require(Slug("acme")))
        #expect(ServiceKey(parsing: key.secret) == key && key.tenantSlug == "acme")
        #expect(key.prefix == String(key.secret.prefix("svc_acme_".count + 4)))
        #expect(!"\([key])\(key)\(String(reflecting: key))".contains(key.secret))
        let random = String(repeating: "a", count: 32)
        for bad in [
            "", "svc_", "svc_acme_short", "svc_Acme_\(random)", "svc_acme_\(random)_", "svc__\(random)",
            "svc_acme_\(random)é",
        ] {
            #expect(ServiceKey(parsing: bad) == nil)
        }
    }

    @Test func refreshTokens() throws {
        let tenant = UUID.v7()
        let token = OpaqueToken.make(tenant: tenant)
        #expect(token.secret.utf8.count == 64 && token.tenantID == tenant)
        #expect(OpaqueToken(parsing: token.secret) == token)
        #expect(token.sha256 == sha256(token.secret))
        #expect(OpaqueToken.make(tenant: tenant) != token)
        for bad in ["", "x", String(repeating: "!", count: 64), token.secret + "A"] {
            #expect(OpaqueToken(parsing: bad) == nil)
        }
    }

    @Test func constantTimeComparison() {
        #expect(constantTimeEquals([], []))
        #expect(constantTimeEquals([1, 2, 3], [1, 2, 3]))
        #expect(!constantTimeEquals([1, 2, 3], [1, 2]))
        for index in 0..<3 {
            for bit in 0..<8 {
                var other: [UInt8] = [1, 2, 3]
                other[index] ^= 1 << bit
                #expect(!constantTimeEquals([1, 2, 3], other))
            }
        }
    }
}
