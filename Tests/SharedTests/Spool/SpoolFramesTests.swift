import CChecksum
import Shared
import Support
import Testing

@Suite struct SpoolFramesTests {
    /// RFC 3720's check value, in one piece, in pieces, and by the loop for processors without the instruction.
    @Test func theChecksumIsCastagnolis() {
        let text = Array("123456789".utf8)
        #expect(csum_crc32c(0, text, text.count) == 0xE306_9283)
        #expect(csum_crc32c(csum_crc32c(0, text, 4), Array(text[4...]), 5) == 0xE306_9283)
        let long = (0..<1_000).map { UInt8(truncatingIfNeeded: $0 * 7) }
        #expect(csum_crc32c(0, long, long.count) == ~csum_crc32c_bitwise(~0, long, long.count))
    }

    private static let marker: UInt64 = 0x9f86_d081_884c_7d65

    private func parts(of bytes: [UInt8]) -> [SpoolFrameReader.Part] {
        bytes.withUnsafeBytes { buffer in
            Array(SpoolFrameReader(buffer, marker: Self.marker))
        }
    }

    private func frames(_ payloads: [[UInt8]], marker: UInt64 = marker) -> [UInt8] {
        payloads.reduce(into: []) { SpoolFrames.append($1, marker: marker, to: &$0) }
    }

    @Test func whatWasWrittenIsRead() {
        let payloads: [[UInt8]] = [Array("one".utf8), [], [UInt8](repeating: 7, count: 70_000)]
        let bytes = frames(payloads)
        let read = parts(of: bytes).map { part -> [UInt8]? in
            guard case .record(let range) = part else { return nil }
            return Array(bytes[range])
        }
        #expect(read == payloads)
    }

    /// A sender's body that holds a record of a segment is no record when the bytes around it are damaged.
    @Test func aPayloadCannotPassForARecord() {
        let forged = frames([Array("forged".utf8)], marker: 0x1234)
        var bytes = frames([forged, Array("next".utf8)])
        bytes[3] ^= 1
        #expect(parts(of: bytes).count == 2)
        #expect(parts(of: bytes).first == .damage(0..<SpoolFrames.headerBytes + forged.count))
    }

    /// Whatever happens to some of the bytes, records that lie apart from it are read, and nothing is that was not written.
    @Test(arguments: 0..<200 as Range<UInt64>)
    func damageCostsWhatItTouches(_ seed: UInt64) throws {
        var random = SplitMix(state: seed)
        let payloads = (0..<Int.random(in: 1...12, using: &random)).map { number in
            (0..<Int.random(in: 0...300, using: &random)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
                + Array("\(number)".utf8)
        }
        let whole = frames(payloads)
        var bytes = whole
        let start = Int.random(in: 0..<bytes.count, using: &random)
        let end = min(bytes.count, start + Int.random(in: 1...40, using: &random))
        var touched = start..<end
        switch Int.random(in: 0..<4, using: &random) {
        case 0: for place in touched { bytes[place] = 0 }
        case 1: bytes[start] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 2:
            bytes.removeSubrange(start...)
            touched = start..<whole.count
        default: bytes.removeSubrange(touched)
        }
        var place = 0
        var intact: [[UInt8]] = []
        for payload in payloads {
            let frame = place..<place + SpoolFrames.headerBytes + payload.count
            if !frame.overlaps(touched) { intact.append(payload) }
            place = frame.upperBound
        }
        var read: [[UInt8]] = []
        var covered = 0
        for part in parts(of: bytes) {
            switch part {
            case .record(let range):
                #expect(range.lowerBound == covered + SpoolFrames.headerBytes)
                read.append(Array(bytes[range]))
                covered = range.upperBound
            case .damage(let range):
                #expect(range.lowerBound == covered && !range.isEmpty)
                covered = range.upperBound
            }
        }
        #expect(covered == bytes.count)
        #expect(read.allSatisfy(payloads.contains))
        #expect(intact.allSatisfy(read.contains), "\(intact.count) of \(payloads.count) lie apart from the damage")
    }

    @Test func segmentsAreKnownByTheirNames() {
        let name = SpoolSegmentName(number: 42, marker: 0x1f)
        #expect(name.fileName == "00000000000000000042-000000000000001f.segment")
        #expect(SpoolSegmentName(name.fileName) == name)
        for other in [
            "", "lock", "42-1f.segment", name.fileName + ".gz", name.fileName.uppercased(), "x" + name.fileName,
        ] {
            #expect(SpoolSegmentName(other) == nil, "\(other)")
        }
    }
}
