import Logging
import Postgres
import ServiceLifecycle
import Shared

/// Condenses the sample log into chunks, owner by owner, as `pulsegate_system`. Any number of processes may run it: a
/// tenant's lock is tried, and whoever fails goes on to the next tenant.
struct Compaction: Service {
    /// Requests in an owner's log from which compaction condenses well.
    static let requestsWorthCompacting: Int64 = 100
    /// Seconds after which even a few requests are moved.
    static let oldestUncompacted = 900
    /// Samples moved by one statement, give or take a request: bounds its memory and its time, about a second a million.
    static let samplesAtOnce: Int64 = 300_000
    /// Requests moved by one statement.
    static let requestsAtOnce = 2_000
    static let samplesInChunk = 700
    /// A chunk's bound in time, microseconds; see the table's CHECK.
    static let period: Int64 = 2_592_000_000_000

    let database: Database
    let interval: Duration
    let metrics: IngestMetrics
    let logger: Logger

    func run() async throws {
        await repeatUntilShutdown(every: interval, logger: logger) {
            try await compactOnce()
        }
    }

    /// One pass over all tenants; returns how many owners were compacted.
    @discardableResult
    func compactOnce() async throws -> Int {
        var owners = 0
        for tenant in try await database.lookUp(Tenant.all()) {
            for backlog in try await database.read(tenant, Self.backlog(of: tenant.id)) {
                if Task.isCancelled { return owners }
                do {
                    guard try await compact(backlog, of: tenant) else { break }
                    owners += 1
                } catch let error as PostgresError {
                    // One owner's trouble is not the others': on to the next.
                    metrics.compactionFailures.increment()
                    logger.warning(
                        "compaction failed",
                        metadata: ["tenant": "\(tenant.slug)", "owner": "\(backlog.owner)", "reason": "\(error)"])
                }
            }
        }
        return owners
    }

    /// False when another process holds the tenant.
    private func compact(_ backlog: Backlog, of tenant: Tenant) async throws -> Bool {
        var (left, samples) = (backlog.requests, Self.samplesAtOnce)
        while left > 0, !Task.isCancelled {
            do {
                guard let moved = try await compactSome(backlog.owner, of: tenant, samples: samples) else {
                    return false
                }
                guard moved > 0 else { return true }
                left -= moved
            } catch let error as PostgresError where error.kind == .timeout || error.sqlState == "57014" {
                // Too much for the time there is (a slow disk, a busy machine): less of it, as long as there is less.
                guard samples > 1_000 else { throw error }
                samples /= 4
            }
        }
        return true
    }

    /// Moves the owner's first requests, of so many samples together; returns how many requests, nil when another process
    /// holds the tenant.
    private func compactSome(_ owner: Int32, of tenant: Tenant, samples: Int64) async throws -> Int64? {
        let moved = try await database.withTenant(tenant) { tx -> (requests: Int64, chunks: Int)? in
            guard try await tx.first(Self.tryLock(tenant.id)) == true else { return nil }
            guard let bound = try await tx.first(Self.bound(owner, of: tenant.id, samples: samples)) else {
                return (0, 0)
            }
            return (bound.requests, try await tx.run(Self.compact(owner, upTo: bound.lastID, of: tenant.id)))
        }
        guard let moved else { return nil }
        metrics.chunksWritten.increment(by: moved.chunks)
        metrics.requestsCompacted.increment(by: Int(moved.requests))
        return moved.requests
    }
}
