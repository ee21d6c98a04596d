import Crypto
import Foundation

/// The first 16 bytes of a SHA-256, as a `UUID` because that is PostgreSQL's cheapest 16-byte key. Version and
/// variant bits are not set: it names content, not a moment.
struct ContentDigest {
    private var sha = SHA256()

    mutating func update(_ bytes: UnsafeRawBufferPointer) { sha.update(bufferPointer: bytes) }

    /// The elements as they stand in memory, which is little-endian on every machine that we run on.
    mutating func update<Element: BitwiseCopyable>(_ elements: [Element]) {
        elements.withUnsafeBytes { sha.update(bufferPointer: $0) }
    }

    /// Little-endian.
    mutating func update(_ number: some FixedWidthInteger) {
        withUnsafeBytes(of: number.littleEndian) { sha.update(bufferPointer: $0) }
    }

    func finish() -> UUID {
        sha.finalize().withUnsafeBytes { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
    }
}
