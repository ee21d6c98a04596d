import Foundation
import Logging
import NIOCore
import NIOPosix
import Postgres
import ServiceLifecycle
import Shared

/// Stores what lies in the spool, oldest first, once the database answers. A segment goes when all of it is stored; what can't be is
/// set aside.
struct SpoolDrain: Service {
    /// Records prepared together, and at most so many on their way: enough to fill groups.
    private static let recordsAtOnce = 64

    /// Bytes of a segment that are not stored, and why.
    private typealias Part = (range: Range<Int>, reason: String)

    let folder: SpoolFolder
    let intake: SpoolIntake
    let availability: DatabaseAvailability
    /// Between two looks.
    let interval: Duration
    let metrics: SpoolMetrics
    let logger: Logger

    func run() async throws {
        async let known: Void = takeStock()
        await repeatUntilShutdown(every: interval, logger: logger) {
            if availability.isAway {
                guard await availability.answers(within: .seconds(3)) else { return }
                availability.found()
            }
            do {
                try await drain()
            } catch  where !(error is CancellationError) {
                logger.warning("the spool can't be drained", metadata: ["reason": "\(error)"])
                if error.isDatabaseAway { availability.lost(error) }
                // Whatever it is, it need not be tried again at once.
                try await Task.sleep(for: .seconds(1))
            }
        }
        await known
    }

    /// Of what a process before left, for the metrics. What can't be read the drain will tell.
    private func takeStock() async {
        await cancelWhenGracefulShutdown {
            for segment in folder.state.segments where !Task.isCancelled {
                try? await onDisk { try folder.look(at: segment.name) }
            }
        }
    }

    /// Until the spool is empty.
    func drain() async throws {
        while let segment = try await onDisk({ folder.next() }) {
            try await drain(segment.name)
            // One request's trouble meanwhile was not the database's.
            availability.found()
        }
    }

    private func drain(_ name: SpoolSegmentName) async throws {
        let bytes: [UInt8]
        do {
            bytes = try await onDisk { try folder.read(name) }
        } catch let error as CocoaError where !error.isPassing {
            note("unreadable", name)
            return folder.forget(name)
        }
        let (records, damage) = Self.parts(of: bytes, name)
        let unstorable = try await store(records, of: bytes)
        let aside = damage.map { Part($0, "damaged") } + unstorable
        // All others are stored; a drain that is broken off before begins the segment anew.
        guard !aside.isEmpty else { return try await onDisk { try folder.remove(name) } }
        try await onDisk { try folder.setAside(name) }
        for (range, reason) in aside { note(reason, name, range) }
    }

    /// Counts and tells what was not stored.
    private func note(_ reason: String, _ name: SpoolSegmentName, _ range: Range<Int> = 0..<0) {
        metrics.damagedParts.increment()
        metrics.damagedBytes.increment(by: range.count)
        logger.error(
            "a part of the spool could not be stored",
            metadata: [
                "segment": "\(name.fileName)", "offset": "\(range.lowerBound)", "bytes": "\(range.count)",
                "reason": "\(reason)",
            ])
    }

    private static func parts(of bytes: [UInt8], _ name: SpoolSegmentName) -> (
        records: [Range<Int>], damage: [Range<Int>]
    ) {
        bytes.withUnsafeBytes { buffer in
            var (records, damage): ([Range<Int>], [Range<Int>]) = ([], [])
            for part in SpoolFrameReader(buffer, marker: name.marker) {
                switch part {
                case .record(let range): records.append(range)
                case .damage(let range): damage.append(range)
                }
            }
            return (records, damage)
        }
    }

    /// Prepared side by side, since that waits for look-ups; stored in order, so that what a device or a till sent later does not
    /// overtake what it sent before.
    /// - Returns: those that nobody will ever store.
    private func store(_ records: [Range<Int>], of bytes: [UInt8]) async throws -> [Part] {
        var unstorable: [Part] = []
        try await withThrowingTaskGroup(of: Part?.self) { group in
            var underway = 0
            for start in stride(from: 0, to: records.count, by: Self.recordsAtOnce) {
                let window = records[start..<min(start + Self.recordsAtOnce, records.count)]
                for (range, prepared) in zip(window, try await intake.prepare(window.map { bytes[$0] })) {
                    if underway == Self.recordsAtOnce {
                        if let part = try await group.next() ?? nil { unstorable.append(part) }
                        underway -= 1
                    }
                    underway += 1
                    // At once: it has its place in the queue before the next one starts.
                    group.addImmediateTask {
                        do {
                            try await intake.store(try prepared.get())
                            return nil
                        } catch let error as SpoolIntake.Unstorable {
                            return Part(range, "\(error)")
                        }
                    }
                }
            }
            for try await case let part? in group { unstorable.append(part) }
        }
        return unstorable
    }

    private func onDisk<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await NIOThreadPool.singleton.runIfActive(work)
    }
}

extension CocoaError {
    /// It is not the file's: there are too many open ones, or too little memory.
    fileprivate var isPassing: Bool {
        let code = (underlying as? POSIXError)?.code
        return [.EMFILE, .ENFILE, .ENOMEM, .EINTR, .EAGAIN].contains(code)
    }
}
