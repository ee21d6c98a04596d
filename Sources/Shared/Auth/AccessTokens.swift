import Crypto
import Foundation
import JWTKit
import Postgres
import Synchronization

/// Issues and verifies access tokens (RFC 7519, RFC 8725): each key's algorithm is fixed, and a `kid`, `iss`, `aud` and `exp`
/// are demanded. One verification is an HMAC or a signature over the token and two small JSON documents, done once for a token that is seen again
/// and again; nothing is looked up.
package struct AccessTokens: Sendable {
    /// Seconds that a token lives: `expires_in`.
    package static let lifetime: Int64 = 900
    /// Seconds by which another process's clock may be ahead.
    static let leeway: Int64 = 30
    private static let maxBytes = 8_192

    /// Tokens that were verified, by their whole text.
    private final class Verified: Sendable {
        /// Kept at most, some kilobyte each; past it those that have expired are forgotten, or all.
        private static let capacity = 10_000

        private let tokens = Mutex<[String: AccessToken]>([:])

        subscript(text: String) -> AccessToken? { tokens.withLock { $0[text] } }

        func keep(_ token: AccessToken, for text: String, now: Timestamp) {
            tokens.withLock { tokens in
                if tokens.count >= Self.capacity { tokens = tokens.filter { $0.value.expiresAt > now } }
                if tokens.count >= Self.capacity { tokens = [:] }
                tokens[text] = token
            }
        }
    }

    private let verified = Verified()
    private let keys: JWTKeyCollection
    private let current: JWKIdentifier
    private let algorithms: [String: TokenKey.Algorithm]
    private let issuer: String
    private let audience: String

    /// - Parameters:
    ///   - current: signs new tokens.
    ///   - previous: still verifies old ones, during a rotation.
    package init(
        current: TokenKey, previous: [TokenKey] = [], issuer: String = "pulsegate", audience: String = "pulsegate"
    ) async {
        keys = JWTKeyCollection()
        for key in previous + [current] { await key.add(to: keys) }
        self.current = JWKIdentifier(string: current.id)
        algorithms = Dictionary((previous + [current]).map { ($0.id, $0.algorithm) }) { $1 }
        self.issuer = issuer
        self.audience = audience
    }

    /// A new token of 15 minutes, with its text.
    package func issue(
        userID: UUID, tenantID: UUID, role: String, scopes: Set<Scope>, sessionID: UUID, now: Timestamp = .now()
    ) async throws -> (text: String, token: AccessToken) {
        let claims = Claims(
            issuer: issuer, audience: AudienceClaim(value: audience), subject: userID.lowercaseString,
            tenantID: tenantID.lowercaseString, role: role, scopes: scopes.map(\.rawValue).sorted(),
            sessionID: sessionID.lowercaseString, issuedAt: now.seconds, expiresAt: now.seconds + Self.lifetime,
            id: UUID.v7().lowercaseString)
        let text = try await keys.sign(claims, kid: current)
        guard let token = AccessToken(claims) else { throw TokenRefusal.malformed }
        return (text, token)
    }

    package func verify(_ text: String, now: Timestamp = .now()) async throws(TokenRefusal) -> AccessToken {
        let token: AccessToken
        if let known = verified[text] { token = known } else { token = try await read(text, now) }
        guard token.expiresAt > now else { throw .expired }
        guard token.issuedAt <= now.adding(seconds: Self.leeway) else { throw .notYetValid }
        return token
    }

    private func read(_ text: String, _ now: Timestamp) async throws(TokenRefusal) -> AccessToken {
        try checkHeader(of: text)
        let claims: Claims
        do {
            claims = try await keys.verify(text, as: Claims.self)
        } catch let error as JWTError where error.errorType == .signatureVerificationFailed {
            throw .badSignature
        } catch {
            throw .malformed
        }
        guard claims.issuer == issuer else { throw .wrongIssuer }
        guard claims.audience.value.contains(audience) else { throw .wrongAudience }
        guard let token = AccessToken(claims) else { throw .malformed }
        verified.keep(token, for: text, now: now)
        return token
    }

    /// The collection takes the header's word for `alg` and falls back to some key for an unknown `kid`, so both are
    /// settled before it sees the token.
    private func checkHeader(of text: String) throws(TokenRefusal) {
        guard text.utf8.count <= Self.maxBytes, let end = text.utf8.firstIndex(of: UInt8(ascii: ".")),
            let bytes = Base64URL.decode(text[..<end]),
            let header = try? JSONDecoder().decode(Header.self, from: Data(bytes))
        else { throw .malformed }
        guard let algorithm = TokenKey.Algorithm(rawValue: header.algorithm), !header.hasCritical,
            header.type?.uppercased() == "JWT"
        else { throw .wrongAlgorithm }
        guard let id = header.keyID, let expected = algorithms[id] else { throw .unknownKey }
        guard algorithm == expected else { throw .wrongAlgorithm }
        // One text a token (RFC 7515 §2): no padding, no bits that are not used.
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3,
            parts.allSatisfy({ part in Base64URL.decode(part).map(Base64URL.encode) == String(part) })
        else { throw .malformed }
    }
}

private struct Header: Decodable {
    let algorithm: String
    let keyID: String?
    let type: String?
    /// Extensions that the issuer demands us to understand (RFC 7515 §4.1.11): there are none that we do.
    let hasCritical: Bool

    enum CodingKeys: String, CodingKey {
        case algorithm = "alg"
        case keyID = "kid"
        case type = "typ"
        case critical = "crit"
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        algorithm = try container.decode(String.self, forKey: .algorithm)
        keyID = try container.decodeIfPresent(String.self, forKey: .keyID)
        type = try container.decodeIfPresent(String.self, forKey: .type)
        hasCritical = container.contains(.critical)
    }
}

private struct Claims: JWTPayload {
    let issuer: String
    let audience: AudienceClaim
    let subject: String
    let tenantID: String
    let role: String
    let scopes: [String]
    let sessionID: String
    let issuedAt: Int64
    let expiresAt: Int64
    let id: String

    enum CodingKeys: String, CodingKey {
        case role, scopes
        case issuer = "iss"
        case audience = "aud"
        case subject = "sub"
        case tenantID = "tenant_id"
        case sessionID = "sid"
        case issuedAt = "iat"
        case expiresAt = "exp"
        case id = "jti"
    }

    /// Nothing here: the claims are checked by ``AccessTokens/verify(_:now:)``, which knows the time and tells why.
    func verify(using algorithm: some JWTAlgorithm) async throws {}
}

extension AccessToken {
    fileprivate init?(_ claims: Claims) {
        guard let userID = UUID(uuidString: claims.subject), let tenantID = UUID(uuidString: claims.tenantID),
            let sessionID = UUID(uuidString: claims.sessionID), let id = UUID(uuidString: claims.id)
        else { return nil }
        self.init(
            userID: userID, tenantID: tenantID, role: claims.role,
            scopes: Set(named: claims.scopes), sessionID: sessionID,
            issuedAt: Timestamp(secondsSinceEpoch: claims.issuedAt),
            expiresAt: Timestamp(secondsSinceEpoch: claims.expiresAt), id: id)
    }
}
