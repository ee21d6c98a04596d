import Foundation
import Logging
import Postgres
import ServiceLifecycle
import Shared
import Synchronization

/// Makes archives, one after the other. Each page is read for itself, so that an export of hours keeps no old version of anything alive: what
/// is changed meanwhile is in it as it was when its page was read.
final class Exporter: Service, CustomStringConvertible {
    struct Job: Sendable {
        let tenant: Tenant
        let export: UUID
    }

    /// Exports that may wait in this process.
    private static let capacity = 16
    /// Samples read at once.
    private static let budget = ReadingBudget(series: 1, samples: 500_000, rows: 50_000)

    private let database: Database
    private let jobs: AsyncStream<Job>
    private let queue: AsyncStream<Job>.Continuation
    private let logger: Logger
    /// Those that wait and the one that is being made.
    private let alive = Mutex<[UUID: Tenant]>([:])

    init(database: Database, logger: Logger) {
        (self.database, self.logger) = (database, logger)
        (jobs, queue) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.capacity))
    }

    /// - Throws: `Problem` 503 when too many wait.
    func take(_ job: Job) throws {
        alive.withLock { $0[job.export] = job.tenant }
        guard case .enqueued = queue.yield(job) else {
            alive.withLock { $0[job.export] = nil }
            throw Problem.unavailable(retryAfter: 60, detail: "Too many exports wait already.")
        }
    }

    func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            await withTaskGroup { group in
                group.addTask { await self.keepAlive() }
                for await job in jobs { await make(job) }
                group.cancelAll()
            }
        }
    }

    /// So that nobody takes for dead what only waits, or reads much that is not worth a line.
    private func keepAlive() async {
        while (try? await Task.sleep(for: .seconds(Int64(Export.patience) / 4))) != nil {
            for (export, tenant) in alive.withLock({ $0 }) {
                // One that fails has three more to come.
                _ = try? await database.withTenant(tenant) { tx in
                    try await tx.run(Export.keepAlive(export, in: tenant.id))
                }
            }
        }
    }

    private func make(_ job: Job) async {
        defer { alive.withLock { $0[job.export] = nil } }
        var status = Export.Status.finished
        do {
            try await write(job)
        } catch {
            status = .failed
            logger.error(
                "an export failed", metadata: ["tenant": "\(job.tenant.slug)", "reason": "\(Problem(anyError: error))"])
        }
        let expiry = status == .finished ? Timestamp.now().adding(seconds: Export.lifetime) : nil
        let finish = Export.finish(job.export, status, until: expiry, in: job.tenant.id)
        do {
            // Also when the process stops; otherwise it is taken for dead after a while.
            _ = try await Task { [database] in
                try await database.withTenant(job.tenant) { try await $0.run(finish) }
            }.value
        } catch {
            logger.warning("the end of an export was not noted", metadata: ["reason": "\(error)"])
        }
    }

    private func write(_ job: Job) async throws {
        let tenant = job.tenant
        var sink = try ArchiveSink(job.export, of: tenant, in: database)
        try await sink.begin("tenant")
        for line in try await database.read(tenant, ExportTables.tenant(tenant.id)) { try await sink.append(line) }
        for table in ExportTables.byID {
            try await sink.begin(table.name)
            try await write(tenant, table.page, to: &sink)
        }
        try await sink.begin("orphan-uplinks")
        try await write(tenant, ExportTables.orphanUplinks, to: &sink)
        try await sink.begin("uplinks")
        try await write(tenant, ExportTables.uplinks, to: &sink)
        try await sink.begin("samples")
        try await writeSamples(tenant, to: &sink)
        try await sink.finish()
    }

    private func write<Key>(
        _ tenant: Tenant, _ page: ExportTables.Page<Key>, to sink: inout ArchiveSink
    ) async throws {
        var after: Key?
        while true {
            try Task.checkCancellation()
            let rows = try await database.read(tenant, page(tenant.id, after))
            for row in rows { try await sink.append(row.json) }
            guard let last = rows.last else { return }
            after = last.key
        }
    }

    /// Of every series of what exists now, as the API shows them.
    private func writeSamples(_ tenant: Tenant, to sink: inout ArchiveSink) async throws {
        let scope = TenantScope(tenant.id)
        var after: SeriesDescription.Position?
        let now = Timestamp.now()
        let days = tenant.plan.retentionDays + 2
        let span = now.adding(seconds: -days * 86_400).microseconds..<now.adding(seconds: 2 * 86_400).microseconds
        while true {
            let page = try await database.read(scope, SeriesFilter().page(after: after, limit: 200, in: scope))
            for series in page { try await write(series, span, in: scope, to: &sink) }
            guard page.count == 200, let last = page.last else { return }
            after = last.position
        }
    }

    /// Halves the span as often as it holds too much.
    private func write(
        _ series: SeriesDescription, _ span: Range<Int64>, in scope: TenantScope, to sink: inout ArchiveSink
    ) async throws {
        try Task.checkCancellation()
        var filter = SeriesFilter()
        filter.ids = [series.id]
        let rows = try await database.read(scope, filter.reading(span, in: scope, Self.budget))
        do {
            try Self.budget.check(rows)
        } catch is Problem where span.count > 1 {
            let middle = span.lowerBound + (span.upperBound - span.lowerBound) / 2
            try await write(series, span.lowerBound..<middle, in: scope, to: &sink)
            try await write(series, middle..<span.upperBound, in: scope, to: &sink)
            return
        }
        let samples = SeriesReading(rows, within: span).samples(of: series)
        if samples.count > 0 { try await sink.append(ExportedSamples(series: series, samples: samples)) }
    }

    /// Service groups log their services.
    var description: String { "Exporter" }
}

/// A line of `samples/`: one series, and samples of it.
private struct ExportedSamples: JSONWritable {
    let series: SeriesDescription
    let samples: Samples

    func write(to json: inout JSONWriter) {
        json.object { object in
            object.field("series", series)
            object.field("samples", samples)
        }
    }
}
