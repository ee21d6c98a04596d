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
        /// By PostgreSQL.
        case refused
        case problem(Problem)
    }

    let folder: SpoolFolder
    let database: Database
    /// By slug: a segment's records are of few.
    let tenants: LookupCache<String, Tenant?>
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
                guard await answers() else { return }
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
    }

    /// Soon: a connection that hangs is given up.
    private func answers() async -> Bool {
        await withTaskGroup { group in
            group.addTask { await database.pool.ping() }
            group.addTask {
                try? await Task.sleep(for: .seconds(3)) // cancelled, the ping was quicker
                return false
            }
            defer { group.cancelAll() }
            return await group.next() ?? false
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
        } catch  where !(error is CancellationError) {
            note("unreadable", name)
            return folder.forget(name)
        }
        let (records, damage) = Self.parts(of: bytes, name)
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

    /// Waits where there is no room: there is no hurry.
    private func store(_ bytes: ArraySlice<UInt8>) async throws {
        guard let record = try? SpoolRecord(decoding: bytes) else { throw Unstorable.malformed }
        guard let tenant = try await tenants.value(for: record.header.slug), tenant.id.rawValue == record.header.tenant
        else { throw Unstorable.tenantUnknown }
        while true {
            do {
                return try await store(record, of: tenant)
            } catch let problem as Problem where problem.status == .serviceUnavailable {
                try await Task.sleep(for: .milliseconds(100))
            } catch let problem as Problem where problem.status.kind == .clientError {
                throw Unstorable.problem(problem)
            } catch  where error.isOutage && !error.isDatabaseAway {
                try await Task.sleep(for: .milliseconds(100)) // a lock that another holds
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
        case .integration(let id, let dialect, let messageID, let contentType, let key):
            let source = WebhookSource(
                tenant: tenant, integrationID: id, dialect: dialect, contentType: contentType, key: key, isSpooled: true
            )
            try await store(
                VerifiedBody(spooled: record.body, messageID: messageID), from: source, at: record.arrivedAt)
        }
    }

    private func store(_ body: VerifiedBody, from source: WebhookSource, at arrival: Timestamp) async throws {
        let said: WebhookIntake.Said
        do {
            said = try webhooks.read(body, from: source, at: arrival)
        } catch {
            throw Problem(error)
        }
        guard case .report(let report) = said,
            case .results(let results) = try await webhooks.store(said, body, from: source, at: arrival)
        else { return metrics.countQuarantined() }
        // What was bad on arrival was answered and counted then.
        let good = zip(report.uplinks, results).filter { uplink, _ in (try? uplink.get()) != nil }.map(\.1)
        metrics.countDrained(good)
        if good.contains(where: \.isRejected) { throw Unstorable.refused }
    }

    private func onDisk<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await NIOThreadPool.singleton.runIfActive(work)
    }
}
