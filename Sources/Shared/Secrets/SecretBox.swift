import Crypto
import Foundation

/// Seals what must be readable again (HMAC secrets of integrations) with AES-256-GCM under the master keys.
package struct SecretBox: Sendable {
    package enum Fault: Error, Sendable {
        /// The key that sealed it is not in `MASTER_KEY`.
        case unknownKey
        /// Changed, cut, sealed by another key of that id, or bound to another context.
        case cannotOpen
    }

    package struct Sealed: Hashable, Sendable {
        /// Kept beside the bytes, for rotation.
        package let keyID: String
        /// Nonce (12 bytes), ciphertext, tag (16 bytes).
        package let bytes: [UInt8]
    }

    private let keys: MasterKeys

    package init(_ keys: MasterKeys) {
        self.keys = keys
    }

    /// - Parameter masterKey: the setting's text, see ``MasterKeys``.
    package init(masterKey: String) throws(MasterKeys.Malformed) {
        self.init(try MasterKeys(masterKey))
    }

    /// The id of the key that seals.
    package var currentKeyID: String { keys.currentID }

    /// - Parameter context: what the secret belongs to, such as its table and id: moved elsewhere it does not open.
    package func seal(_ plaintext: [UInt8], context: String) throws -> Sealed {
        guard let key = keys.keys[keys.currentID] else { throw Fault.unknownKey }
        let box = try AES.GCM.seal(plaintext, using: key, authenticating: Array(context.utf8))
        guard let combined = box.combined else { throw Fault.cannotOpen }
        return Sealed(keyID: keys.currentID, bytes: Array(combined))
    }

    package func open(_ bytes: [UInt8], keyID: String, context: String) throws(Fault) -> [UInt8] {
        guard let key = keys.keys[keyID] else { throw .unknownKey }
        do {
            let box = try AES.GCM.SealedBox(combined: bytes)
            return Array(try AES.GCM.open(box, using: key, authenticating: Array(context.utf8)))
        } catch {
            throw .cannotOpen
        }
    }

    package func open(_ sealed: Sealed, context: String) throws(Fault) -> [UInt8] {
        try open(sealed.bytes, keyID: sealed.keyID, context: context)
    }
}
