import Algorithms
import Logging
import Postgres
import ServiceLifecycle
import Shared

/// Condenses the sample log into chunks, owner by owner, as `pulsegate_system`, and merges small chunks. Any number of
/// processes may run it: a tenant's lock is tried, and whoever fails goes on to the next tenant.
///
/// A transaction takes requests out of the log, and puts their samples in order here, where it takes a quarter of the time that
/// SQL takes for it (docs/decisions). A reader's snapshot sees each sample in the log or in a chunk, and a crash leaves either.
struct Compaction: Service {
    /// Samples of each series in an owner's log from which condensing makes chunks that need no merging.
    static let samplesASeries = Int64(smallest)
    /// Seconds after which even a few requests are moved.
    static let oldestUncompacted = 900
    /// Samples moved by one transaction, give or take a request: bounds its memory (some 60 bytes each) and its time.
    static let samplesAtOnce: Int64 = 200_000
    /// Requests moved by one transaction.
    static let requestsAtOnce = 5_000
    /// Of some hundred samples each.
    static let chunksInAStatement = 200
    /// First key of the advisory locks on a tenant's chunks.
    static let lockClass: Int32 = 7_310_004

    let database: Database
    let interval: Duration
    let metrics: CompactionMetrics
    let logger: Logger

    func run() async throws {
        await repeatUntilShutdown(every: interval, logger: logger) {
            try await compactOnce()
            try await mergeOnce()
            metrics.succeeded()
        }
    }

    /// One pass over all tenants, in the time of an interval; returns how many owners were compacted.
    @discardableResult
    func compactOnce() async throws -> Int {
        var (ripe, waiting) = ([(Tenant, Backlog)](), CompactionMetrics.Backlog())
        for tenant in try await database.lookUp(Tenant.all()) {
            for backlog in try await database.read(tenant, Self.backlog(of: tenant.id)) {
                if backlog.isRipe { ripe.append((tenant, backlog)) } else { waiting.add(backlog) }
            }
        }
        var owners = 0
        var pace = Pace(interval, work: ripe.reduce(0) { $0 + $1.1.samples })
        for (tenant, backlog) in ripe {
            do {
                try await compact(backlog, of: tenant, &pace)
                owners += 1
            } catch let error as PostgresError {
                // One owner's trouble is not the others': on to the next.
                waiting.add(backlog)
                metrics.failures.increment()
                logger.warning(
                    "compaction failed",
                    metadata: ["tenant": "\(tenant.slug)", "owner": "\(backlog.owner)", "reason": "\(error)"])
            }
        }
        metrics.set(waiting)
        return owners
    }

    private func compact(_ backlog: Backlog, of tenant: Tenant, _ pace: inout Pace) async throws {
        var (left, samples) = (backlog.requests, Self.samplesAtOnce)
        while left > 0 {
            try await pace.rest()
            do {
                let moved = try await compactSome(backlog.owner, of: tenant, samples: samples)
                guard moved > 0 else { return } // another process has the tenant, or did it
                // What came since the pass began goes along, and counts for nothing.
                pace.did(backlog.samples * min(left, Int64(moved)) / backlog.requests)
                left -= Int64(moved)
            } catch let error as PostgresError where error.kind == .timeout || error.sqlState == "57014" {
                // Too much for the time there is (a slow disk, a busy machine): less of it, as long as there is less.
                guard samples > 1_000 else { throw error }
                samples /= 4
            }
        }
    }

    /// Moves the owner's first requests, of so many samples together; returns how many requests.
    func compactSome(_ owner: Int32, of tenant: Tenant, samples: Int64 = samplesAtOnce) async throws -> Int {
        let done = try await database.withTenant(tenant) { tx -> (requests: Int, samples: Int, chunks: Int) in
            let requests = try await tx.all(Self.takeOut(owner, of: tenant.id, samples: samples))
            guard !requests.isEmpty else { return (0, 0, 0) }
            var arriving = SortedSamples()
            for request in requests.sorted(by: { $0.id < $1.id }) {
                arriving.add(series: request.series, ts: request.ts, values: request.values)
            }
            let count = arriving.count
            arriving.sort()
            let reaching = try await tx.all(Self.reaching(arriving, of: tenant.id))
            arriving.remove(Self.times(of: reaching))
            return (requests.count, count, try await write(arriving, of: tenant.id, in: tx))
        }
        metrics.requests.increment(by: done.requests)
        metrics.samples.increment(by: done.samples)
        metrics.chunksWritten.increment(by: done.chunks)
        return done.requests
    }

    private static func times(of held: [HeldChunk]) -> [Int32: Set<Int64>] {
        held.reduce(into: [:]) { times, held in
            held.chunk.forEachSample { ts, _ in times[held.series, default: []].insert(ts) }
        }
    }

    /// Returns how many chunks it wrote.
    func write(_ samples: SortedSamples, of tenant: TenantID, in tx: TenantTransaction) async throws -> Int {
        let chunks = samples.series.flatMap { one in
            SampleChunk.make(ts: one.ts, values: one.values).map { (series: one.id, chunk: $0) }
        }
        _ = try await tx.pipeline(
            chunks.chunks(ofCount: Self.chunksInAStatement).map { Self.insert($0, of: tenant).erased })
        return chunks.count
    }
}
