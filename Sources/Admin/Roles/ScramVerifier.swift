import Crypto
import Foundation

/// What PostgreSQL keeps of a password (RFC 5803): made here, so that the password itself never reaches the server or its log.
struct ScramVerifier {
    let text: String

    /// - Parameters:
    ///   - password: ASCII, for which SASLprep (RFC 4013) changes nothing.
    ///   - iterations: 4096 is PostgreSQL's own number.
    init(password: String, salt: [UInt8] = Self.randomSalt(), iterations: Int = 4096) {
        let salted = SymmetricKey(data: Self.saltedPassword(Array(password.utf8), salt, iterations))
        let clientKey = HMAC<SHA256>.authenticationCode(for: Data("Client Key".utf8), using: salted)
        let serverKey = HMAC<SHA256>.authenticationCode(for: Data("Server Key".utf8), using: salted)
        let storedKey = SHA256.hash(data: Data(clientKey))
        let encoded = [Data(salt), Data(storedKey), Data(serverKey)].map { $0.base64EncodedString() }
        text = "SCRAM-SHA-256$\(iterations):\(encoded[0])$\(encoded[1]):\(encoded[2])"
    }

    /// `Hi()` of RFC 5802 §2.2, which is PBKDF2 with one block.
    private static func saltedPassword(_ password: [UInt8], _ salt: [UInt8], _ iterations: Int) -> [UInt8] {
        let key = SymmetricKey(data: password)
        var block = Array(HMAC<SHA256>.authenticationCode(for: salt + [0, 0, 0, 1], using: key))
        var result = block
        for _ in 1..<iterations {
            block = Array(HMAC<SHA256>.authenticationCode(for: block, using: key))
            for at in result.indices { result[at] ^= block[at] }
        }
        return result
    }

    private static func randomSalt() -> [UInt8] {
        var random = SystemRandomNumberGenerator()
        return (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &random) }
    }
}
