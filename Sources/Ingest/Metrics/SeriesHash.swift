/// A 64-bit hash for tables in this process, after wyhash: 16 bytes a step through a 64 × 64 → 128 bit product.
///
/// Its seeds are drawn at start, so nobody outside can prepare names that collide; equal hashes still mean nothing
/// until the bytes were compared.
struct SeriesHash: Sendable {
    static let process = SeriesHash()

    private let seed0: UInt64
    private let seed1: UInt64
    private let seed2: UInt64

    init(seeds: (UInt64, UInt64, UInt64)? = nil) {
        var random = SystemRandomNumberGenerator()
        seed0 = seeds?.0 ?? random.next()
        seed1 = seeds?.1 ?? random.next()
        seed2 = seeds?.2 ?? random.next()
    }

    func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var state = seed0
        var at = 0
        let count = bytes.count
        while count - at > 16 {
            state = Self.mix(word(bytes, at) ^ seed1, word(bytes, at + 8) ^ state)
            at += 16
        }
        // The last step takes the last 16 bytes, overlapping the one before, or what a short text has.
        let (low, high) = count >= 16 ? (word(bytes, count - 16), word(bytes, count - 8)) : short(bytes)
        state = Self.mix(low ^ seed1, high ^ state)
        return Self.mix(state ^ seed2, UInt64(count) ^ seed1)
    }

    private func short(_ bytes: UnsafeRawBufferPointer) -> (UInt64, UInt64) {
        let count = bytes.count
        if count >= 8 { return (word(bytes, 0), word(bytes, count - 8)) }
        if count >= 4 {
            let first = bytes.loadUnaligned(fromByteOffset: 0, as: UInt32.self)
            let last = bytes.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self)
            return (UInt64(first), UInt64(last))
        }
        var packed: UInt64 = 0
        for byte in bytes { packed = packed << 8 | UInt64(byte) }
        return (packed, 0)
    }

    private func word(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt64 {
        bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    }

    private static func mix(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let product = a.multipliedFullWidth(by: b)
        return product.high ^ product.low
    }
}
