import Crypto
import Foundation

/// The keys that seal secrets at rest: `id:base64(32 bytes)[,id:base64…]`. The first one seals, all of them open.
package struct MasterKeys: Sendable {
    package struct Malformed: Error, CustomStringConvertible, Sendable {
        /// Never contains any part of the setting.
        package let description: String
    }

    let currentID: String
    let keys: [String: SymmetricKey]

    /// - Throws: `Malformed`, saying which entry is at fault without repeating it.
    package init(_ text: String) throws(Malformed) {
        var keys: [String: SymmetricKey] = [:]
        var first: String?
        for (position, entry) in text.split(separator: ",", omittingEmptySubsequences: false).enumerated() {
            let parts = entry.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, Self.isID(parts[0]), let bytes = Data(base64Encoded: String(parts[1])) else {
                throw Malformed(description: "key \(position + 1) is not id:base64")
            }
            guard bytes.count == 32 else {
                throw Malformed(description: "key \(position + 1) has \(bytes.count) bytes, not 32")
            }
            let id = String(parts[0])
            guard keys.updateValue(SymmetricKey(data: bytes), forKey: id) == nil else {
                throw Malformed(description: "key \(position + 1) has the id of another")
            }
            first = first ?? id
        }
        guard let first else { throw Malformed(description: "there is no key") }
        currentID = first
        self.keys = keys
    }

    private static func isID(_ text: Substring) -> Bool {
        (1...32).contains(text.utf8.count)
            && text.utf8.allSatisfy { $0.isBase62 || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
    }
}
