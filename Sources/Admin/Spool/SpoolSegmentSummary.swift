import Foundation
import Postgres
import Shared

/// A line of `spool inspect`.
struct SpoolSegmentSummary: Encodable, Equatable {
    let segment: String
    let bytes: Int
    /// Whole ones.
    private(set) var records = 0
    private(set) var batches = 0
    private(set) var webhooks = 0
    /// Parts that are no whole record; one at the end of a segment may be a record that is being written.
    private(set) var damaged = 0
    /// When the first record arrived, RFC 3339.
    private(set) var oldest: String?
    /// Records by the tenant's slug.
    private(set) var tenants: [String: Int] = [:]

    /// Oldest first. A segment that is drained meanwhile is left out.
    static func all(in directory: URL) throws -> [SpoolSegmentSummary] {
        try SpoolSegmentName.all(in: directory).compactMap { name in
            do {
                return SpoolSegmentSummary(name, try Data(contentsOf: directory.appendingPathComponent(name.fileName)))
            } catch CocoaError.fileReadNoSuchFile {
                return nil
            }
        }
    }

    init(_ name: SpoolSegmentName, _ content: Data) {
        (segment, bytes) = (name.fileName, content.count)
        content.withUnsafeBytes { bytes in
            for part in SpoolFrameReader(bytes, marker: name.marker) {
                switch part {
                case .damage: damaged += 1
                case .record(let range): add(try? SpoolRecord(decoding: bytes[range]))
                }
            }
        }
    }

    private mutating func add(_ record: SpoolRecord?) {
        records += 1
        guard let record else { return }
        if oldest == nil { oldest = record.arrivedAt.rfc3339 }
        tenants[record.header.slug, default: 0] += 1
        switch record.header.sender {
        case .store: batches += 1
        case .integration: webhooks += 1
        }
    }
}
