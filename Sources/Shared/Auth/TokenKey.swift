import Crypto
import Foundation
import JWTKit

/// A key that access tokens are signed with, and the `kid` that names it in their headers. Its algorithm is fixed (RFC 8725 §3.1).
package struct TokenKey: Sendable {
    /// As `alg` names them (RFC 7518 §3.1, RFC 8037 §3.1).
    package enum Algorithm: String, Sendable {
        case hs256 = "HS256"
        case es256 = "ES256"
        case edDSA = "EdDSA"
    }

    private enum Material {
        case secret(SymmetricKey)
        case p256(ES256PrivateKey)
        case p256Public(ES256PublicKey)
        case ed25519(EdDSA.PrivateKey)
        case ed25519Public(EdDSA.PublicKey)
    }

    package static let minBytes = 32

    package let algorithm: Algorithm
    let id: String
    private let material: Material

    /// Whether it can sign, and not only verify.
    package var signs: Bool {
        switch material {
        case .secret, .p256, .ed25519: true
        case .p256Public, .ed25519Public: false
        }
    }

    /// For HS256.
    /// - Parameter id: nil for one that is derived from the secret, of which it tells nothing.
    /// - Returns: nil for a secret of less than 32 bytes (RFC 7518 §3.2).
    package init?(id: String? = nil, secret: String) {
        let bytes = Array(secret.utf8)
        guard bytes.count >= Self.minBytes else { return nil }
        let key = SymmetricKey(data: bytes)
        let mark = HMAC<SHA256>.authenticationCode(for: Data("pulsegate token key id".utf8), using: key)
        self.init(.hs256, id ?? Self.name(mark), .secret(key))
    }

    /// A key of P-256 for ES256, or of Ed25519 for EdDSA: private, or public to verify alone. PKCS #8, SEC 1 or SubjectPublicKeyInfo.
    ///
    /// - Returns: nil for any other text.
    package init?(pem: String) {
        if let key = try? ES256PrivateKey(pem: pem) {
            self.init(.es256, Self.name(key.publicKey.pemRepresentation), .p256(key))
        } else if let key = try? EdDSA.PrivateKey(pem: pem) {
            self.init(.edDSA, Self.name(key.publicKey.pemRepresentation), .ed25519(key))
        } else if let key = try? ES256PublicKey(pem: pem) {
            self.init(.es256, Self.name(key.pemRepresentation), .p256Public(key))
        } else if let key = try? EdDSA.PublicKey(pem: pem) {
            self.init(.edDSA, Self.name(key.pemRepresentation), .ed25519Public(key))
        } else {
            return nil
        }
    }

    private init(_ algorithm: Algorithm, _ id: String, _ material: Material) {
        (self.algorithm, self.id, self.material) = (algorithm, id, material)
    }

    func add(to keys: JWTKeyCollection) async {
        let id = JWKIdentifier(string: id)
        switch material {
        case .secret(let key): await keys.add(hmac: HMACKey(key: key), digestAlgorithm: .sha256, kid: id)
        case .p256(let key): await keys.add(ecdsa: key, kid: id)
        case .p256Public(let key): await keys.add(ecdsa: key, kid: id)
        case .ed25519(let key): await keys.add(eddsa: key, kid: id)
        case .ed25519Public(let key): await keys.add(eddsa: key, kid: id)
        }
    }

    private static func name(_ publicKey: String) -> String {
        name(SHA256.hash(data: Data(publicKey.utf8)))
    }

    private static func name(_ digest: some Sequence<UInt8>) -> String {
        Base64URL.encode(Array(digest.prefix(12)))
    }
}
