import Foundation
import Shared

/// What lies in a spool's folder `damaged`: whole segments, of which a part could not be stored.
struct SpoolSalvage {
    /// A line of `spool salvage`.
    struct Part: Encodable, Equatable {
        let segment: String
        let offset: Int
        let bytes: Int
        /// Nil where the bytes are no whole record.
        let record: Record?
    }

    struct Record: Encodable, Equatable {
        let tenant: String
        /// RFC 3339.
        let arrivedAt: String
        /// `store` or `webhook`.
        let sender: String
    }

    /// Of the spool.
    let directory: URL

    private var damaged: URL { directory.appendingPathComponent("damaged") }

    func parts() throws -> [Part] {
        try SpoolSegmentName.all(in: damaged).flatMap { name in
            try read(name) { offset, bytes, isWhole in
                Part(
                    segment: name.fileName, offset: offset, bytes: bytes.count,
                    record: isWhole ? (try? SpoolRecord(decoding: bytes)).map(Record.init) : nil)
            }
        }
    }

    /// Writes each part into a file of its own, named by segment and offset: a record's body as it came with `.body`, bytes that are no
    /// whole record with `.damage`.
    /// - Returns: how many.
    func copy(to target: URL) throws -> Int {
        try FileManager.default.createDirectory(
            at: target, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        return try SpoolSegmentName.all(in: damaged).reduce(0) { count, name in
            count
                + (try read(name) { offset, bytes, isWhole in
                    let record = isWhole ? try? SpoolRecord(decoding: bytes) : nil
                    let stem = name.fileName.dropLast(".segment".count)
                    let file = "\(stem)-\(offset).\(record == nil ? "damage" : "body")"
                    try PrivateFile(path: target.appendingPathComponent(file).path).write(Data(record?.body ?? bytes))
                }).count
        }
    }

    /// Puts the whole records back into the spool, to be stored by the next process that has it, and marks the segments they come from
    /// as salvaged. Those that are stored already change nothing.
    /// - Returns: how many records.
    func putBack() throws -> Int {
        let lock: SpoolLock
        do {
            lock = try SpoolLock(directory: directory.path)
        } catch {
            throw Refusal(.conflict, "\(directory.path) is used by a running process; stop it first")
        }
        defer { withExtendedLifetime(lock) {} }
        var last = try SpoolSegmentName.all(in: directory).last?.number ?? 0
        var count = 0
        for name in try SpoolSegmentName.all(in: damaged) {
            let records = try read(name) { _, bytes, isWhole in isWhole ? bytes : nil }.compactMap(\.self)
            last += 1
            if !records.isEmpty { try write(records, as: .init(number: last, marker: .random(in: .min ... .max))) }
            try FileManager.default.moveItem(at: url(of: name), to: url(of: name).appendingPathExtension("salvaged"))
            count += records.count
        }
        return count
    }

    private func url(of name: SpoolSegmentName) -> URL { damaged.appendingPathComponent(name.fileName) }

    private func read<Value>(
        _ name: SpoolSegmentName, _ take: (_ offset: Int, _ bytes: [UInt8], _ isWhole: Bool) throws -> Value
    ) throws -> [Value] {
        try Data(contentsOf: url(of: name)).withUnsafeBytes { bytes in
            try SpoolFrameReader(bytes, marker: name.marker).map { part in
                switch part {
                case .record(let range): try take(range.lowerBound, Array(bytes[range]), true)
                case .damage(let range): try take(range.lowerBound, Array(bytes[range]), false)
                }
            }
        }
    }

    /// As a whole, or not at all.
    private func write(_ records: [[UInt8]], as name: SpoolSegmentName) throws {
        var frames: [UInt8] = []
        for record in records { SpoolFrames.append(record, marker: name.marker, to: &frames) }
        let (file, temporary) = (directory.appendingPathComponent(name.fileName).path, directory.path + "/salvage.new")
        try PrivateFile(path: temporary).write(Data(frames))
        SpoolOwner.give(temporary, in: directory.path)
        for path in [temporary, directory.path] {
            let opened = open(path, O_RDONLY | O_CLOEXEC)
            defer { if opened >= 0 { close(opened) } }
            guard opened >= 0, fsync(opened) == 0, path != temporary || rename(temporary, file) == 0 else {
                throw Refusal(.failed, "can't write \(file)")
            }
        }
    }
}

extension SpoolSalvage.Record {
    fileprivate init(_ record: SpoolRecord) {
        let sender =
            switch record.header.sender {
            case .store: "store"
            case .integration: "webhook"
            }
        self.init(tenant: record.header.slug, arrivedAt: record.arrivedAt.rfc3339, sender: sender)
    }

    private enum CodingKeys: String, CodingKey {
        case tenant, sender
        case arrivedAt = "arrived_at"
    }
}
