import Logging
import Postgres
import ServiceLifecycle
import Shared

extension IngestApp {
    /// What it takes to store a spool and end, for `SPOOL_DRAIN_ONLY`.
    func drainServices() async throws -> [ServiceGroupConfiguration.ServiceConfiguration] {
        let ground = try ground()
        _ = try await SchemaGate(database: Database(pool: ground.ingestPool), logger: logger).open()
        let parts: [any Service] = [
            PoolClosing(ground.ingestPool, ground.systemPool), ground.parts.metricBatcher, ground.parts.uplinkBatcher,
        ]
        let draining = DrainingOnce(drain: ground.parts.drain, metrics: ground.metrics.spool, logger: logger)
        return parts.map { .init(service: $0) }
            + [.init(service: draining, successTerminationBehavior: .gracefullyShutdownGroup)]
    }
}

/// Stores what the spool holds, and ends.
struct DrainingOnce: Service {
    /// Not all of it could be stored.
    struct SetAside: Error, CustomStringConvertible {
        let parts: Int
        var description: String { "\(parts) parts of the spool could not be stored: the log says which, and why" }
    }

    let drain: SpoolDrain
    let metrics: SpoolMetrics
    let logger: Logger

    func run() async throws {
        try await drain.drain()
        logger.notice("the spool is stored", metadata: metrics.drained.mapValues { "\($0)" })
        if metrics.damagedParts.value > 0 { throw SetAside(parts: metrics.damagedParts.value) }
    }
}
