import Foundation
import NIOCore
import Postgres
import Shared

/// An archive that is being written into the database, part by part: gathers lines into files, and files into parts.
struct ArchiveSink {
    struct TooLarge: Error {}
    /// Somebody took it for dead, or it was withdrawn.
    struct GivenUp: Error {}

    /// Bytes of lines in one file at most, but for the line that exceeds it.
    private static let fileBytes = 4 << 20
    /// Bytes of an archive at most: it lies in the database until it expires.
    private static let maxBytes = 20 << 30

    private let database: Database
    private let tenant: Tenant
    private let id: UUID
    private let gzip: Deflation
    private let startedAt = Timestamp.now().seconds

    private var folder = ""
    private var lines = ByteBuffer()
    private var files = 0
    private var parts: Int32 = 0
    private var written = 0

    init(_ id: UUID, of tenant: Tenant, in database: Database) throws {
        (self.id, self.tenant, self.database) = (id, tenant, database)
        gzip = try Deflation()
    }

    /// What follows is written into files of this folder.
    mutating func begin(_ name: String) async throws {
        try await endFile()
        (folder, files) = (name, 0)
    }

    mutating func append(_ line: String) async throws {
        lines.writeString(line)
        lines.writeString("\n")
        if lines.readableBytes >= Self.fileBytes { try await endFile() }
    }

    mutating func append(_ line: some JSONWritable) async throws {
        var json = JSONWriter()
        line.write(to: &json)
        try await append(String(buffer: json.buffer))
    }

    mutating func finish() async throws {
        try await endFile()
        try await write(gzip.compress(TarWriter.end))
        try await write(gzip.finish())
    }

    private mutating func endFile() async throws {
        guard lines.readableBytes > 0 else { return }
        files += 1
        let number = String(files)
        let name = "\(folder)/\(String(repeating: "0", count: max(0, 6 - number.count)))\(number).ndjson"
        let entry = TarWriter.entry(name, lines, modifiedAt: startedAt)
        lines.clear()
        try await write(gzip.compress(entry))
    }

    private mutating func write(_ bytes: ByteBuffer) async throws {
        written += bytes.readableBytes
        guard written <= Self.maxBytes else { throw TooLarge() }
        let append = Export.append(Array(buffer: bytes), at: parts, to: id, in: tenant.id)
        let kept = try await database.withTenant(tenant) { tx in try await tx.run(append) }
        guard kept == 1 else { throw GivenUp() }
        parts += 1
    }
}
