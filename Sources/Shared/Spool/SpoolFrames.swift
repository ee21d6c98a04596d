import CChecksum

/// How records lie in a segment, one after the other:
///
///     marker (8 bytes) · length (4) · CRC-32C of length and payload (4) · payload
///
/// Numbers are little-endian. The marker is the segment's own and random, kept in its name: after damage the next record is found
/// by it, and nobody can put a record of their making into a payload.
package enum SpoolFrames {
    package static let headerBytes = 16

    package static func append(_ payload: [UInt8], marker: UInt64, to frames: inout [UInt8]) {
        let length = littleEndian(UInt32(payload.count))
        withUnsafeBytes(of: marker.littleEndian) { frames.append(contentsOf: $0) }
        frames += length
        frames += littleEndian(checksum(length, payload))
        frames += payload
    }

    private static func littleEndian(_ number: UInt32) -> [UInt8] {
        withUnsafeBytes(of: number.littleEndian) { Array($0) }
    }

    private static func checksum(_ length: [UInt8], _ payload: [UInt8]) -> UInt32 {
        let start = length.withUnsafeBytes { csum_crc32c(0, $0.baseAddress, $0.count) }
        return payload.withUnsafeBytes { csum_crc32c(start, $0.baseAddress, $0.count) }
    }
}

/// Reads a segment's bytes, whatever became of them.
package struct SpoolFrameReader: Sequence, IteratorProtocol {
    package enum Part: Hashable {
        /// A record's payload, by its place in the bytes.
        case record(Range<Int>)
        /// Bytes that are no whole record: torn, flipped, or never written.
        case damage(Range<Int>)
    }

    private let bytes: UnsafeRawBufferPointer
    private let marker: UInt64
    private var offset = 0

    /// - Parameter bytes: valid for as long as the reader.
    package init(_ bytes: UnsafeRawBufferPointer, marker: UInt64) {
        self.bytes = bytes
        self.marker = marker
    }

    package mutating func next() -> Part? {
        let start = offset
        guard start < bytes.count else { return nil }
        if let payload = record(at: start) {
            offset = payload.upperBound
            return .record(payload)
        }
        offset = start + 1
        while offset < bytes.count, record(at: offset) == nil { offset += 1 }
        return .damage(start..<offset)
    }

    private func record(at start: Int) -> Range<Int>? {
        let payload = start + SpoolFrames.headerBytes
        guard payload <= bytes.count,
            UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self)) == marker
        else { return nil }
        let length = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: start + 8, as: UInt32.self)))
        guard length <= bytes.count - payload else { return nil }
        let sum = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: start + 12, as: UInt32.self))
        let ofLength = csum_crc32c(0, bytes.baseAddress.map { $0 + start + 8 }, 4)
        let own = csum_crc32c(ofLength, bytes.baseAddress.map { $0 + payload }, length)
        return own == sum ? payload..<payload + length : nil
    }
}
