import Foundation
import Glibc
import Postgres
import Shared
import Synchronization

/// The spool's files: a thin shell around `SpoolState`. Every call blocks, so none but the first is made on Swift's own threads.
final class SpoolFolder: Sendable {
    /// Why nothing can be kept.
    enum Failure: Error, CustomStringConvertible {
        case full
        /// A call of the operating system failed.
        case system(String, errno: Int32)

        var description: String {
            switch self {
            case .full: "the spool is full"
            case .system(let call, let code): "\(call): \(String(cString: strerror(code)))"
            }
        }
    }

    private struct Held {
        var state: SpoolState
        /// Of the open segment.
        var file: Int32 = -1
    }

    let path: String
    private let lock: SpoolLock
    private let held: Mutex<Held>
    /// Beside what is held while a disk is waited for.
    private let last: Mutex<SpoolState>

    /// Takes stock of what a process before left by size alone, so that gigabytes of it keep nobody waiting: see ``look(at:)``.
    /// - Throws: `Failure.system`, when the directory can't be made or read, or another process has it.
    init(path: String, limits: SpoolState.Limits) throws {
        self.path = path
        let damaged = path + "/damaged"
        do {
            try FileManager.default.createDirectory(
                atPath: damaged, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw Failure.system("making \(damaged)", errno: errno)
        }
        do {
            lock = try SpoolLock(directory: path)
        } catch {
            let reason = error.errno == EWOULDBLOCK ? "another process is using it" : "it can't be written"
            throw Failure.system("locking \(path): \(reason)", errno: error.errno)
        }
        let found = try SpoolSegmentName.all(in: URL(fileURLWithPath: path)).map { name in
            SpoolState.Segment(name: name, bytes: Self.size(of: path + "/" + name.fileName), records: 0, oldest: nil)
        }
        let state = SpoolState(limits: limits, found: found)
        held = Mutex(Held(state: state))
        last = Mutex(state)
    }

    /// As it was last, without waiting for the disk.
    var state: SpoolState { last.withLock { $0 } }

    /// Appends what there is room for, and returns how many of the records these are once they have reached the disk.
    /// - Throws: `Failure`: then none of them is kept.
    func append(_ records: [[UInt8]], oldest: Timestamp) throws -> Int {
        try held.withLock { held in
            defer { last.withLock { $0 = held.state } }
            var (count, size) = (0, 0)
            let room = held.state.room
            for record in records {
                guard size + record.count + SpoolFrames.headerBytes <= room else { break }
                size += record.count + SpoolFrames.headerBytes
                count += 1
            }
            guard count > 0 else { throw Failure.full }
            do {
                let (name, end) = try openSegment(&held)
                var frames: [UInt8] = []
                frames.reserveCapacity(size)
                for record in records.prefix(count) { SpoolFrames.append(record, marker: name.marker, to: &frames) }
                do {
                    try Self.write(frames, to: held.file, at: end)
                    guard fdatasync(held.file) == 0 else { throw Failure.system("fdatasync", errno: errno) }
                } catch {
                    // What is acknowledged stands before it. Should even this fail, the reader finds a torn end.
                    _ = ftruncate(held.file, off_t(end))
                    throw error
                }
            } catch {
                closeFailed(&held)
                throw error
            }
            held.state.appended(bytes: size, records: count, oldest: oldest)
            return count
        }
    }

    /// Free on the disk; 0 where it takes no writes.
    func freeBytes() -> Int {
        var disk = statvfs()
        guard statvfs(path, &disk) == 0, disk.f_flag & UInt(ST_RDONLY) == 0 else { return 0 }
        return Int(disk.f_bavail * disk.f_frsize)
    }

    /// The oldest segment, for draining.
    func next() -> SpoolState.Segment? {
        held.withLock { held in
            let wasOpen = held.state.isOpen
            let next = held.state.next()
            if wasOpen, !held.state.isOpen { Self.closeSegment(&held) }
            return next
        }
    }

    func read(_ name: SpoolSegmentName) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: file(of: name))))
    }

    /// Finds out how many records a segment of a process before holds, and how old they are.
    func look(at name: SpoolSegmentName) throws {
        var (records, oldest): (Int, Timestamp?) = (0, nil)
        try read(name).withUnsafeBytes { bytes in
            for case .record(let range) in SpoolFrameReader(bytes, marker: name.marker) {
                records += 1
                if oldest == nil { oldest = try? SpoolRecord(decoding: bytes[range]).arrivedAt }
            }
        }
        held.withLock { held in
            held.state.learned(name, records: records, oldest: oldest)
            last.withLock { $0 = held.state }
        }
    }

    /// Keeps a segment for a person to look at, out of the way: it takes no room that the disk may not have.
    func setAside(_ name: SpoolSegmentName) throws {
        guard rename(file(of: name), path + "/damaged/" + name.fileName) == 0 else {
            throw Failure.system("rename", errno: errno)
        }
        forget(name)
    }

    /// Leaves a segment where it is; the next process tries it again.
    func forget(_ name: SpoolSegmentName) {
        held.withLock { held in
            held.state.remove(name)
            last.withLock { $0 = held.state }
        }
    }

    /// All that was in it is stored.
    func remove(_ name: SpoolSegmentName) throws {
        guard unlink(file(of: name)) == 0 || errno == ENOENT else { throw Failure.system("unlink", errno: errno) }
        forget(name)
    }

    private func file(of name: SpoolSegmentName) -> String { path + "/" + name.fileName }

    /// The open segment and where it ends, made when there is none.
    private func openSegment(_ held: inout Held) throws -> (SpoolSegmentName, end: Int) {
        let before = held.state.segments.last?.name
        let wasOpen = held.state.isOpen
        let name = held.state.place(marker: .random(in: .min ... .max))
        if wasOpen, name == before { return (name, held.state.segments.last?.bytes ?? 0) }
        if held.file >= 0 { close(held.file) }
        held.file = open(file(of: name), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
        guard held.file >= 0 else {
            let failure = Failure.system("open", errno: errno)
            held.state.close()
            held.state.remove(name)
            throw failure
        }
        try Self.syncDirectory(path)
        return (name, 0)
    }

    /// An empty file is of no use, and each group that fails would leave one.
    private func closeFailed(_ held: inout Held) {
        let wasOpen = held.state.isOpen
        Self.closeSegment(&held)
        guard wasOpen, let name = held.state.segments.last?.name, held.state.segments.last?.bytes == 0 else { return }
        unlink(file(of: name))
        held.state.remove(name)
    }

    private static func closeSegment(_ held: inout Held) {
        held.state.close()
        if held.file >= 0 { close(held.file) }
        held.file = -1
    }

    private static func write(_ bytes: [UInt8], to file: Int32, at start: Int) throws {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                pwrite(file, buffer.baseAddress.map { $0 + done }, bytes.count - done, off_t(start + done))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Failure.system("write", errno: errno) }
            done += count
        }
    }

    private static func syncDirectory(_ path: String) throws {
        let directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw Failure.system("open", errno: errno) }
        defer { close(directory) }
        guard fsync(directory) == 0 else { throw Failure.system("fsync", errno: errno) }
    }

    /// 0 where there is none; whoever reads it will find out why.
    private static func size(of file: String) -> Int {
        (try? FileManager.default.attributesOfItem(atPath: file)[.size] as? Int) ?? 0
    }
}
