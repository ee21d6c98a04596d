import Crypto
import Foundation

/// SHA-256 of a text's UTF-8 bytes. For secrets of full entropy, which need no slow hash; passwords go to
/// ``PasswordHasher``.
package func sha256(_ text: some StringProtocol) -> [UInt8] {
    var text = String(text)
    return text.withUTF8 { bytes in
        var hash = SHA256()
        hash.update(bufferPointer: UnsafeRawBufferPointer(bytes))
        return Array(hash.finalize())
    }
}

/// Compares without telling by its time where two equally long values differ. Lengths are no secret: unequal ones are
/// answered at once.
@inline(never) // inlined next to its caller's constants, the optimizer might find an earlier way out
package func constantTimeEquals(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    var difference: UInt8 = 0
    for index in left.indices {
        difference |= left[index] ^ right[index]
    }
    return difference == 0
}
