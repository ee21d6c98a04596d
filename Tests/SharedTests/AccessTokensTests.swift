import Crypto
import CryptoExtras
import Foundation
import Postgres
import Testing

@testable import Shared

struct AccessTokensTests {
    private let secret = "0123456789abcdef0123456789abcdef"
    private let now = Timestamp(secondsSinceEpoch: 1_795_168_800)

    private func tokens(_ id: String = "k1", _ secret: String? = nil, audience: String = "pulsegate") async throws
        -> AccessTokens
    {
        await AccessTokens(current: try #require(TokenKey(id: id, secret: secret ?? self.secret)), audience: audience)
    }

    private func issue(_ tokens: AccessTokens) async throws -> (text: String, token: AccessToken) {
        try await tokens.issue(
            userID: UUID.v7(), tenantID: UUID.v7(), role: "manager", scopes: [.devicesRead, .sitesWrite],
            sessionID: UUID.v7(), now: now)
    }

    /// A token signed as asked, whatever it says.
    private func forge(header: String, claims: String, secret: String? = nil) -> String {
        let input = Base64URL.encode(header.utf8) + "." + Base64URL.encode(claims.utf8)
        let key = SymmetricKey(data: Array((secret ?? self.secret).utf8))
        return input + "." + Base64URL.encode(HMAC<SHA256>.authenticationCode(for: Array(input.utf8), using: key))
    }

    private func claims(_ changes: [String: String?] = [:]) -> String {
        var fields: [String: String?] = [
            "iss": "\"pulsegate\"", "aud": "\"pulsegate\"", "sub": "\"\(UUID.v7())\"", "tenant_id": "\"\(UUID.v7())\"",
            "role": "\"viewer\"", "scopes": "[]", "sid": "\"\(UUID.v7())\"", "iat": "\(now.seconds)",
            "exp": "\(now.seconds + 60)", "jti": "\"\(UUID.v7())\"",
        ]
        fields.merge(changes) { $1 }
        return "{" + fields.compactMap { key, value in value.map { "\"\(key)\":\($0)" } }.joined(separator: ",") + "}"
    }

    private let header = #"{"alg":"HS256","typ":"JWT","kid":"k1"}"#

    private func refusal(_ text: String, now: Timestamp? = nil) async throws -> TokenRefusal {
        let tokens = try await tokens()
        return try await #require(throws: TokenRefusal.self) { try await tokens.verify(text, now: now ?? self.now) }
    }

    @Test func whatWasIssuedIsVerified() async throws {
        let tokens = try await tokens()
        let (text, token) = try await issue(tokens)
        #expect(try await tokens.verify(text, now: now) == token)
        #expect(token.scopes == [.devicesRead, .sitesWrite])
        #expect(token.expiresAt == now.adding(seconds: 900))
        let header = try #require(Base64URL.decode(text.prefix { $0 != "." }))
        let fields = try JSONDecoder().decode([String: String].self, from: Data(header))
        #expect(fields == ["alg": "HS256", "typ": "JWT", "kid": "k1"])
        let claims = String(decoding: try #require(Base64URL.decode(text.split(separator: ".")[1])), as: UTF8.self)
        #expect(claims.contains("\"sub\":\"\(token.userID.lowercaseString)\""))
    }

    @Test func tokensExpire() async throws {
        let tokens = try await tokens()
        let text = try await issue(tokens).text
        _ = try await tokens.verify(text, now: now.adding(seconds: 899))
        #expect(try await refusal(text, now: now.adding(seconds: 900)) == .expired)
        #expect(try await refusal(text, now: now.adding(seconds: -31)) == .notYetValid)
        #expect(try await refusal(forge(header: header, claims: claims(["exp": nil]))) == .malformed)
    }

    @Test func anyChangeBreaksTheSignature() async throws {
        let text = try await issue(try await tokens()).text
        let parts = text.split(separator: ".")
        let otherClaims = Base64URL.encode(claims().utf8)
        #expect(try await refusal("\(parts[0]).\(otherClaims).\(parts[2])") == .badSignature)
        #expect(try await refusal("\(parts[0]).\(parts[1]).") == .badSignature)
        #expect(
            try await refusal(forge(header: header, claims: claims(), secret: String(repeating: "x", count: 32)))
                == .badSignature)
    }

    @Test(arguments: [
        (#"{"alg":"none","typ":"JWT","kid":"k1"}"#, TokenRefusal.wrongAlgorithm),
        (#"{"alg":"HS512","typ":"JWT","kid":"k1"}"#, .wrongAlgorithm),
        (#"{"alg":"RS256","typ":"JWT","kid":"k1"}"#, .wrongAlgorithm),
        (#"{"alg":"HS256","typ":"dpop+jwt","kid":"k1"}"#, .wrongAlgorithm),
        (#"{"alg":"HS256","kid":"k1"}"#, .wrongAlgorithm),
        (#"{"alg":"HS256","typ":"JWT","kid":"k1","crit":["exp"],"exp":1}"#, .wrongAlgorithm),
        (#"{"alg":"HS256","typ":"JWT","kid":"k2"}"#, .unknownKey),
        (#"{"alg":"HS256","typ":"JWT"}"#, .unknownKey),
        (#"{"typ":"JWT","kid":"k1"}"#, .malformed),
        ("[]", .malformed),
    ])
    func headersAreNotTrusted(header: String, expected: TokenRefusal) async throws {
        #expect(try await refusal(forge(header: header, claims: claims())) == expected)
    }

    @Test func claimsAreDemanded() async throws {
        #expect(try await refusal(forge(header: header, claims: claims(["iss": "\"other\""]))) == .wrongIssuer)
        #expect(try await refusal(forge(header: header, claims: claims(["aud": "\"other\""]))) == .wrongAudience)
        for name in ["iss", "aud", "sub", "tenant_id", "sid", "jti", "iat", "role", "scopes"] {
            #expect(try await refusal(forge(header: header, claims: claims([name: nil]))) == .malformed, "\(name)")
        }
        #expect(try await refusal(forge(header: header, claims: claims(["sub": "\"me\""]))) == .malformed)
    }

    @Test(arguments: ["", ".", "..", "a.b", "a.b.c.d", "🙂.a.b", String(repeating: "a", count: 9_000) + ".b.c"])
    func garbageIsMalformed(text: String) async throws {
        #expect(try await refusal(text) == .malformed)
    }

    @Test func keysAreRotated() async throws {
        let old = try #require(TokenKey(id: "k1", secret: secret))
        let new = try #require(TokenKey(id: "k2", secret: String(repeating: "n", count: 32)))
        let before = await AccessTokens(current: old)
        let during = await AccessTokens(current: new, previous: [old])
        let after = await AccessTokens(current: new)
        let (oldText, newText) = (try await issue(before).text, try await issue(during).text)
        _ = try await during.verify(oldText, now: now)
        _ = try await during.verify(newText, now: now)
        _ = try await after.verify(newText, now: now)
        let refusal = try await #require(throws: TokenRefusal.self) { try await after.verify(oldText, now: now) }
        #expect(refusal == .unknownKey)
    }

    @Test func shortSecretsAreNoKeys() {
        #expect(TokenKey(secret: String(repeating: "x", count: 31)) == nil)
        #expect(TokenKey(secret: String(repeating: "x", count: 32)) != nil)
    }

    /// Each algorithm signs and verifies; a public part verifies alone.
    @Test func keysOfFilesWork() async throws {
        let p256 = P256.Signing.PrivateKey()
        let ed25519 = Curve25519.Signing.PrivateKey()
        for (pem, publicPEM, algorithm) in [
            (p256.pemRepresentation, p256.publicKey.pemRepresentation, TokenKey.Algorithm.es256),
            (ed25519.pemRepresentation, ed25519.publicKey.pemRepresentation, .edDSA),
        ] {
            let key = try #require(TokenKey(pem: pem))
            let publicKey = try #require(TokenKey(pem: publicPEM))
            #expect(key.algorithm == algorithm && key.signs && !publicKey.signs && key.id == publicKey.id)
            let (text, token) = try await issue(await AccessTokens(current: key))
            let header = String(decoding: try #require(Base64URL.decode(text.prefix { $0 != "." })), as: UTF8.self)
            #expect(header.contains("\"\(algorithm.rawValue)\"") && header.contains(key.id))
            let other = try #require(TokenKey(secret: secret))
            let during = await AccessTokens(current: other, previous: [publicKey])
            #expect(try await during.verify(text, now: now) == token)
            let tampered = String(text.dropLast(8)) + "AAAAAAAA"
            let refusal = await #expect(throws: TokenRefusal.self) { try await during.verify(tampered, now: now) }
            #expect(refusal == .badSignature)
        }
        #expect(TokenKey(pem: "nonsense") == nil)
        #expect(TokenKey(pem: P384.Signing.PrivateKey().pemRepresentation) == nil)
    }

    /// Whoever knows the public key can't sign with it as if it were a secret, and a `kid` chooses no algorithm.
    @Test func keysAreNotConfused() async throws {
        let p256 = P256.Signing.PrivateKey()
        let key = try #require(TokenKey(pem: p256.pemRepresentation))
        let secretKey = try #require(TokenKey(secret: secret))
        let tokens = await AccessTokens(current: key, previous: [secretKey])
        let publicPEM = p256.publicKey.pemRepresentation
        for (algorithm, id, signer, expected) in [
            ("HS256", key.id, publicPEM, TokenRefusal.wrongAlgorithm),
            ("ES256", key.id, publicPEM, .malformed),
            ("none", key.id, "", .wrongAlgorithm), ("ES256", secretKey.id, secret, .wrongAlgorithm),
            ("HS256", "../../dev/null", "", .unknownKey), ("HS256", "' OR 1=1 --", secret, .unknownKey),
            ("HS256", "", secret, .unknownKey),
        ] {
            let header = #"{"alg":"\#(algorithm)","typ":"JWT","kid":"\#(id)"}"#
            let forged = forge(header: header, claims: claims(), secret: signer)
            let refusal = await #expect(throws: TokenRefusal.self) { try await tokens.verify(forged, now: now) }
            #expect(refusal == expected, "\(algorithm) \(id)")
        }
        let right = forge(header: #"{"alg":"HS256","typ":"JWT","kid":"\#(secretKey.id)"}"#, claims: claims())
        _ = try await tokens.verify(right, now: now)
    }

    /// Also a second time, when the token itself is known.
    @Test func aTokenHasOneText() async throws {
        let tokens = try await tokens()
        let text = try await issue(tokens).text
        _ = try await tokens.verify(text, now: now)
        for other in [text + "=", text + " ", " " + text] {
            let refusal = await #expect(throws: TokenRefusal.self) { try await tokens.verify(other, now: now) }
            #expect(refusal == .malformed)
        }
        let expired = await #expect(throws: TokenRefusal.self) {
            try await tokens.verify(text, now: now.adding(seconds: 900))
        }
        #expect(expired == .expired)
    }
}
