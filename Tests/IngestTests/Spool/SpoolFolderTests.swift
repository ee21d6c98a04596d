import Foundation
import Postgres
@testable import Shared
import Support
import Testing

@testable import Ingest

@Suite struct SpoolFolderTests {
    private func withFolder(_ body: (String) throws -> Void) throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("spool-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(path)
    }

    private func records(_ folder: SpoolFolder, _ segment: SpoolState.Segment) throws -> [[UInt8]] {
        let bytes = try folder.read(segment.name)
        return bytes.withUnsafeBytes { buffer in
            SpoolFrameReader(buffer, marker: segment.name.marker).compactMap { part in
                if case .record(let range) = part { Array(bytes[range]) } else { nil }
            }
        }
    }

    private static let limits = SpoolState.Limits(bytes: 1 << 20)

    @Test func whatIsAppendedIsFoundByTheNextProcess() throws {
        try withFolder { path in
            var folder: SpoolFolder? = try SpoolFolder(path: path, limits: Self.limits)
            #expect(try folder?.append([[1], [2, 2]], oldest: .now()) == 2)
            #expect(try folder?.append([[3]], oldest: .now()) == 1)
            folder = nil
            let next = try SpoolFolder(path: path, limits: Self.limits)
            #expect(
                next.state.records == 0 && next.state.bytes == 4 + 3 * SpoolFrames.headerBytes,
                "only the size, at first")
            try next.look(at: try #require(next.state.segments.first).name)
            #expect(next.state.records == 3)
            let segment = try #require(next.next())
            #expect(try records(next, segment) == [[1], [2, 2], [3]])
            try next.remove(segment.name)
            #expect(next.next() == nil && next.state.bytes == 0)
        }
    }

    @Test func onlyWhatFitsIsTaken() throws {
        try withFolder { path in
            let folder = try SpoolFolder(path: path, limits: .init(bytes: 100))
            #expect(
                try folder.append([[UInt8](repeating: 1, count: 40), [UInt8](repeating: 2, count: 40)], oldest: .now())
                    == 1)
            #expect(throws: SpoolFolder.Failure.self) {
                try folder.append([[UInt8](repeating: 3, count: 40)], oldest: .now())
            }
            #expect(try folder.append([[4]], oldest: .now()) == 1)
            let segment = try #require(folder.next())
            #expect(try records(folder, segment) == [[UInt8](repeating: 1, count: 40), [4]])
        }
    }

    @Test func twoProcessesNeverShareADirectory() throws {
        try withFolder { path in
            let folder = try SpoolFolder(path: path, limits: Self.limits)
            #expect(throws: SpoolFolder.Failure.self) { try SpoolFolder(path: path, limits: Self.limits) }
            _ = folder.state
        }
    }

    @Test func aRecordIsReadAsItWasWritten() throws {
        let tenant = Tenant(id: TenantID(3), uuid: UUID(), slug: "acme", plan: .basic, isActive: true)
        let sender = SpoolRecord.Sender.integration(
            UUID(), dialect: "generic", messageID: nil, contentType: "a/b", key: UUID())
        let record = SpoolRecord(
            header: .init(tenant: tenant, arrivedAt: Timestamp(microseconds: 17), sender: sender), body: [0, 1, 255])
        let read = try SpoolRecord(decoding: try record.encoded())
        #expect(read.header == record.header && read.body == record.body)
        for end in 0..<30 {
            #expect(throws: SpoolRecord.Malformed.self) { try SpoolRecord(decoding: try record.encoded().prefix(end)) }
        }
        #expect(throws: SpoolRecord.Malformed.self) { try SpoolRecord(decoding: [255, 255, 255, 255, 1]) }
    }
}
