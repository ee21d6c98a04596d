import Foundation

/// `00000000000000000042-9f86d081884c7d65.segment`: the segment's place among all and its marker. Kept in the name, the marker survives whatever
/// happens to the content.
package struct SpoolSegmentName: Hashable, Sendable, Comparable {
    package let number: UInt64
    package let marker: UInt64

    package init(number: UInt64, marker: UInt64) {
        (self.number, self.marker) = (number, marker)
    }

    /// Nil for what is no segment.
    package init?(_ fileName: String) {
        let parts = fileName.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1] == "segment" else { return nil }
        let halves = parts[0].split(separator: "-", omittingEmptySubsequences: false)
        guard halves.count == 2, halves[0].utf8.count == 20, halves[1].utf8.count == 16,
            let number = UInt64(halves[0]), number < 1 << 62, let marker = UInt64(halves[1], radix: 16)
        else { return nil }
        self.init(number: number, marker: marker)
        guard self.fileName == fileName else { return nil }
    }

    package var fileName: String {
        let (decimal, hex) = (String(number), String(marker, radix: 16))
        return String(repeating: "0", count: 20 - decimal.count) + decimal + "-"
            + String(repeating: "0", count: 16 - hex.count) + hex + ".segment"
    }

    package static func < (one: Self, other: Self) -> Bool { one.number < other.number }

    /// The segments in a directory, oldest first.
    package static func all(in directory: URL) throws -> [SpoolSegmentName] {
        try FileManager.default.contentsOfDirectory(atPath: directory.path).compactMap(SpoolSegmentName.init).sorted()
    }
}
