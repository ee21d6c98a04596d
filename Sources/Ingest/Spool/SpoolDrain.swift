import HTTPTypes
import Logging
import NIOCore
import NIOPosix
import Postgres
import ServiceLifecycle
import Shared

/// Stores what lies in the spool, oldest first, once the database answers: through the same intakes as what arrives, whose keys make
/// a record that was stored before a duplicate. A segment goes when all of it is stored; what can't be is set aside.
struct SpoolDrain: Service {
    /// Records on their way at once: enough to fill groups.
    private static let recordsAtOnce = 64

    /// Nobody will ever store this record.
    private enum Unstorable: Error {
        case malformed
        case tenantUnknown
        case refused
        case failed(any Error)
    }

    let folder: SpoolFolder
    let database: Database
    let batches: MetricIntake
    let webhooks: WebhookIntake
    let availability: DatabaseAvailability
    /// Between two looks.
    let interval: Duration
    let metrics: SpoolMetrics
    let logger: Logger

    func run() async throws {
        await repeatUntilShutdown(every: interval, logger: logger) {
            if availability.isAway {
                guard await database.pool.ping() else { return }
                availability.found()
            }
            try await drain()
        }
    }

    /// Until the spool is empty or the database is away again.
    func drain() async throws {
        while let segment = try await onDisk({ folder.next() }) {
            do {
                try await drain(segment.name)
            } catch  where error.isOutage {
                return availability.lost(error)
            }
            logger.notice("a segment of the spool is stored", metadata: ["segment": "\(segment.name.fileName)"])
        }
    }

    private func drain(_ name: SpoolSegmentName) async throws {
        let bytes = try await onDisk { try folder.read(name) }
        let (records, damage) = Self.parts(of: bytes, name)
        // Aside goes what is left when all others are stored: a drain that is broken off begins the segment anew.
        var aside = damage.map { (range: $0, reason: "damaged") }
        try await withThrowingTaskGroup(of: (range: Range<Int>, reason: String)?.self) { group in
            for (number, range) in records.enumerated() {
                if number >= Self.recordsAtOnce, let unstorable = try await group.next() ?? nil {
                    aside.append(unstorable)
                }
                group.addTask {
                    do {
                        try await store(bytes[range])
                        return nil
                    } catch let error as Unstorable {
                        return (range, "\(error)")
                    }
                }
            }
            for try await case let unstorable? in group { aside.append(unstorable) }
        }
        for (range, reason) in aside { try await setAside(bytes, range, of: name, reason: reason) }
        try await onDisk { try folder.remove(name) }
    }

    private static func parts(of bytes: [UInt8], _ name: SpoolSegmentName) -> (
        records: [Range<Int>], damage: [Range<Int>]
    ) {
        bytes.withUnsafeBytes { buffer in
            var reader = SpoolFrameReader(buffer, marker: name.marker)
            var (records, damage): ([Range<Int>], [Range<Int>]) = ([], [])
            while let part = reader.next() {
                switch part {
                case .record(let range): records.append(range)
                case .damage(let range): damage.append(range)
                }
            }
            return (records, damage)
        }
    }

    /// Waits where there is no room, or the tenant brings new devices too fast: there is no hurry.
    private func store(_ bytes: ArraySlice<UInt8>) async throws {
        guard let record = try? SpoolRecord(decoding: bytes) else { throw Unstorable.malformed }
        guard let tenant = try await database.lookUp(Tenant.bySlug(record.header.slug)).first,
            tenant.id.rawValue == record.header.tenant
        else { throw Unstorable.tenantUnknown }
        while true {
            do {
                return try await store(record, of: tenant)
            } catch let problem as Problem where [.serviceUnavailable, .tooManyRequests].contains(problem.status) {
                try await Task.sleep(for: .milliseconds(100))
            } catch  where !error.isOutage && !(error is CancellationError) {
                throw Unstorable.failed(error)
            }
        }
    }

    private func store(_ record: SpoolRecord, of tenant: Tenant) async throws {
        switch record.header.sender {
        case .store(let owner, let key):
            let body = ByteBuffer(bytes: record.body)
            let batch = try batches.parse(body, for: tenant, at: record.arrivedAt)
            let taken = try await batches.store(
                batch, body, from: BatchSource(tenant: tenant, owner: owner), at: record.arrivedAt, fresh: key)
            if taken.accepted > 0, taken.outcome == .refused { throw Unstorable.refused }
            // Rows that were bad on arrival were answered and counted then.
            metrics.countDrained(
                samples: taken.accepted, taken.outcome, rejected: taken.batch.rejected.count - batch.rejected.count)
        case .integration(let id, let dialect, let messageID, let contentType):
            let source = WebhookSource(tenant: tenant, integrationID: id, dialect: dialect, contentType: contentType)
            let body = VerifiedBody(spooled: record.body, messageID: messageID)
            let said = try webhooks.read(body, from: source, at: record.arrivedAt)
            switch try await webhooks.store(said, body, from: source, at: record.arrivedAt) {
            case .results(let results): metrics.countDrained(results.filter { !$0.isRejected })
            case .quarantined: metrics.countQuarantined()
            }
        }
    }

    private func setAside(_ bytes: [UInt8], _ range: Range<Int>, of name: SpoolSegmentName, reason: String) async throws
    {
        try await onDisk { try folder.setAside(bytes[range], of: name, at: range.lowerBound) }
        metrics.damagedParts.increment()
        metrics.damagedBytes.increment(by: range.count)
        logger.error(
            "a part of the spool is set aside",
            metadata: [
                "segment": "\(name.fileName)", "offset": "\(range.lowerBound)", "bytes": "\(range.count)",
                "reason": "\(reason)",
            ])
    }

    private func onDisk<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await NIOThreadPool.singleton.runIfActive(work)
    }
}
