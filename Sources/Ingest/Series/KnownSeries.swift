import Foundation

/// The ids of one owner's series by their canonical bytes. All bytes lie in one buffer, so that a look-up touches no
/// reference counts.
struct KnownSeries {
    private struct Entry {
        let bytes: Range<Int>
        let id: Int32
    }

    /// A `SeriesHash` is keyed and spread well already; hashed once more it would cost as much as all the rest of a look-up.
    private struct Key: Hashable {
        let hash: UInt64

        func _rawHashValue(seed: Int) -> Int { Int(truncatingIfNeeded: hash) ^ seed }
    }

    private var entries: [Key: Entry] = [:]
    private var bytes: [UInt8] = []

    var count: Int { entries.count }

    /// - Parameter hash: `SeriesHash` of the canonical bytes; of two series with the same the later is known.
    mutating func remember(_ canonicalBytes: [UInt8], hash: UInt64, id: Int32) {
        // Requests that missed it together all bring it.
        guard canonicalBytes.withUnsafeBytes({ self.id($0, hash: hash) }) != id else { return }
        entries[Key(hash: hash)] = Entry(bytes: bytes.count..<bytes.count + canonicalBytes.count, id: id)
        bytes += canonicalBytes
    }

    func id(_ canonicalBytes: UnsafeRawBufferPointer, hash: UInt64) -> Int32? {
        guard let entry = entries[Key(hash: hash)], entry.bytes.count == canonicalBytes.count else { return nil }
        let isSame = bytes.withUnsafeBytes { bytes in
            guard let own = UnsafeRawBufferPointer(rebasing: bytes[entry.bytes]).baseAddress,
                let other = canonicalBytes.baseAddress
            else { return canonicalBytes.isEmpty }
            return memcmp(own, other, canonicalBytes.count) == 0
        }
        return isSame ? entry.id : nil
    }
}
