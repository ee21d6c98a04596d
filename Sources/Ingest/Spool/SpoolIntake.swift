import Foundation
import HTTPTypes
import NIOCore
import Postgres
import Shared

/// From a spooled record to its place in the database: through the same intakes as what arrives, whose keys make a record that was
/// stored before a duplicate.
struct SpoolIntake: Sendable {
    /// Nobody will ever store this record.
    enum Unstorable: Error {
        case malformed
        case tenantUnknown
        /// By PostgreSQL.
        case refused
        case problem(Problem)
    }

    /// A record whose tenant, devices and series are known.
    enum Prepared: Sendable {
        case batch(PreparedBatch, rejectedOnArrival: Int)
        case webhook(WebhookIntake.Prepared, WebhookIntake.Said)
    }

    /// By slug: a segment's records are of few.
    let tenants: LookupCache<String, Tenant?>
    let owners: OwnerDirectory
    let batches: MetricIntake
    let webhooks: WebhookIntake
    let metrics: SpoolMetrics

    /// What a record says.
    private enum Said: Sendable {
        case batch(MetricBatch, ByteBuffer, BatchSource, arrivedAt: Timestamp, key: UUID)
        case webhook(WebhookIntake.Said, VerifiedBody, WebhookSource, arrivedAt: Timestamp)
    }

    /// In order, each as it is or why it never will be stored.
    /// - Throws: whatever says that the database is not itself.
    func prepare(_ records: [ArraySlice<UInt8>]) async throws -> [Result<Prepared, Unstorable>] {
        var read: [Result<Said, Unstorable>] = []
        for record in records { read.append(try await orUnstorable { try await self.read(record) }) }
        // After an outage nobody knows any device, and asking for each alone would take longer than storing what it sent.
        for (tenant, deviceEUIs) in Self.deviceEUIs(of: read.compactMap { try? $0.get() }) {
            try await patiently { try await owners.learn(deviceEUIs, of: tenant) }
        }
        return try await withThrowingTaskGroup(of: (Int, Result<Prepared, Unstorable>).self) { group in
            for (number, said) in read.enumerated() {
                group.addTask {
                    (number, try await orUnstorable { try await patiently { try await prepare(said.get()) } })
                }
            }
            return try await group.reduce(into: [Int: Result<Prepared, Unstorable>]()) { $0[$1.0] = $1.1 }
                .sorted { $0.key < $1.key }.map(\.value)
        }
    }

    private func orUnstorable<Value>(_ work: () async throws -> Value) async throws -> Result<Value, Unstorable> {
        do {
            return .success(try await work())
        } catch let error as Unstorable {
            return .failure(error)
        }
    }

    private static func deviceEUIs(of read: [Said]) -> [Tenant: Set<DeviceEUI>] {
        read.reduce(into: [:]) { deviceEUIs, said in
            guard case .webhook(.report(let report), _, let source, _) = said else { return }
            deviceEUIs[source.tenant, default: []].formUnion(report.uplinks.compactMap { try? $0.get().deviceEUI })
        }
    }

    private func read(_ bytes: ArraySlice<UInt8>) async throws -> Said {
        guard let record = try? SpoolRecord(decoding: bytes) else { throw Unstorable.malformed }
        return try await patiently {
            guard let tenant = try await tenants.value(for: record.header.slug),
                tenant.id.rawValue == record.header.tenant
            else { throw Unstorable.tenantUnknown }
            return try read(record, of: tenant)
        }
    }

    private func read(_ record: SpoolRecord, of tenant: Tenant) throws -> Said {
        let now = record.arrivedAt
        switch record.header.sender {
        case .store(let owner, let key):
            let body = ByteBuffer(bytes: record.body)
            let batch = try batches.parse(body, for: tenant, at: now)
            return .batch(batch, body, BatchSource(tenant: tenant, owner: owner), arrivedAt: now, key: key)
        case .integration(let id, let dialect, let messageID, let contentType, let key):
            let body = VerifiedBody(spooled: record.body, messageID: messageID)
            let source = WebhookSource(
                tenant: tenant, integrationID: id, dialect: dialect, contentType: contentType, key: key, isSpooled: true
            )
            let said = try Result { () throws(DialectFault) in try webhooks.read(body, from: source, at: now) }
                .mapError { Problem($0) }.get()
            return .webhook(said, body, source, arrivedAt: now)
        }
    }

    private func prepare(_ said: Said) async throws -> Prepared {
        switch said {
        case .batch(let batch, let body, let source, let now, let key):
            let prepared = try await batches.prepare(batch, body, from: source, at: now, fresh: key)
            return .batch(prepared, rejectedOnArrival: batch.rejected.count)
        case .webhook(let said, let body, let source, let now):
            return .webhook(try await webhooks.prepare(said, body, from: source, at: now), said)
        }
    }

    /// Returns once it is committed, and counted. It has its place in the batcher's queue before this suspends.
    /// - Throws: ``Unstorable``; or whatever says that the database is not itself.
    func store(_ prepared: Prepared) async throws {
        switch prepared {
        case .batch(let prepared, let rejectedOnArrival):
            let taken = try await patiently { try await batches.store(prepared, isUrgent: false) }
            if taken.accepted > 0, taken.outcome == .refused { throw Unstorable.refused }
            // Rows that were bad on arrival were answered and counted then.
            metrics.countDrained(
                samples: taken.accepted, taken.outcome, rejected: taken.batch.rejected.count - rejectedOnArrival)
        case .webhook(let prepared, let said):
            guard case .results(let results) = try await patiently({ try await webhooks.store(prepared) }),
                case .report(let report) = said
            else { return metrics.countQuarantined() }
            let good = zip(report.uplinks, results).filter { uplink, _ in (try? uplink.get()) != nil }.map(\.1)
            metrics.countDrained(good)
            if good.contains(where: \.isRejected) { throw Unstorable.refused }
        }
    }

    /// Waits where there is no room, or where another holds a lock: there is no hurry.
    private func patiently<Value>(_ work: () async throws -> Value) async throws -> Value {
        while true {
            do {
                return try await work()
            } catch let problem as Problem where [.serviceUnavailable, .tooManyRequests].contains(problem.status) {
                // below
            } catch let problem as Problem where problem.status.kind == .clientError {
                throw Unstorable.problem(problem)
            } catch  where error.isOutage && !error.isDatabaseAway {
                // below
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }
}
