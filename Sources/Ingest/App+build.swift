import Hummingbird
import Logging
import Postgres
import ServiceLifecycle
import Shared

/// The ingest process, wired: nothing is decided here.
struct IngestApp {
    let settings: IngestSettings
    let start: ProcessStart
    let logger: Logger

    /// Every part in the order of its start; they stop the other way around: listeners first, then what answers the requests
    /// that came, then the pools.
    func services() async throws -> [any Service] {
        let ground = try ground()
        let (registry, metrics, folder, parts) = (ground.registry, ground.metrics, ground.folder, ground.parts)
        let (ingestPool, systemPool) = (ground.ingestPool, ground.systemPool)
        let (database, system) = (Database(pool: ingestPool), Database(pool: systemPool))
        metrics.spool.register(folder, in: registry)
        registry.registerProcessMetrics()
        registry.registerPool(ingestPool)
        parts.register(in: registry)

        let schema = SchemaGate(database: database, logger: logger)
        // Before anything listens; a database that is away is waited for while the process runs, not ready.
        _ = try await schema.open()
        let drain = DrainMarker()
        let listening = ListeningMarker()
        // With room in the spool, requests of those who are known can be answered.
        let reachable = ReadinessCheck("database or spool") {
            if await parts.spool.hasRoom(forBytes: MetricBatchRoute.maxBodyBytes) { return true }
            return await ingestPool.ping()
        }
        let checks = [drain.check, listening.check, schema.check, reachable]
        let admin = AdminServer(checks: checks, metrics: registry)
        let publicServer = PublicServer(
            HTTPEdge(router(parts), metrics: registry, accessLevel: .debug).buildResponder(), on: publicPort,
            drain: drain, listening: listening, metrics: registry, logger: logger)
        return [
            PoolClosing(systemPool, ingestPool),
            schema,
            parts.activity,
            Compaction(
                database: system, interval: settings.compactionInterval, metrics: metrics.compaction,
                logger: logger),
            Housekeeping(database: system, interval: .seconds(60), metrics: metrics, logger: logger),
            ChangeListening(
                ConnectionConfiguration(
                    url: settings.ingestDatabaseURL, applicationName: "pulsegate-ingest-changes"),
                logger: logger, onChange: { parts.invalidate($1, after: $0) }, onUnknown: { parts.invalidateAll() }),
            parts.spool,
            parts.metricBatcher,
            parts.uplinkBatcher,
            parts.drain,
            admin.application(host: settings.adminHost, port: settings.adminPort, logger: logger),
            publicServer,
            ServiceManagerNotices(
                start.serviceManager, checks: checks, isAlive: publicServer.turn, logger: logger),
            drain,
        ]
    }

    /// What stands below services of either kind.
    struct Ground {
        let registry: MetricRegistry
        let metrics: IngestMetrics
        let ingestPool, systemPool: PostgresPool
        let folder: SpoolFolder
        let parts: IngestParts
    }

    /// - Throws: `SpoolFolder.Failure`, when the spool is another process's.
    func ground() throws -> Ground {
        let registry = MetricRegistry()
        let metrics = IngestMetrics(registry)
        let ingestPool = pool(
            settings.ingestDatabaseURL, "pulsegate-ingest", settings.ingestConnections,
            // A group's dozen statements go by index whatever their values are and however empty a table was when its statistics
            // were made; planning one anew costs more than running it.
            ["plan_cache_mode": "force_generic_plan", "enable_seqscan": "off"])
        let systemPool = pool(
            settings.systemDatabaseURL, "pulsegate-ingest-upkeep", 2,
            // A crash that loses a transaction of upkeep leaves what was before it: the log's rows, say, instead of their chunks.
            // A plan made while a period's chunks were none would read all of them for each series later.
            ["synchronous_commit": "off", "plan_cache_mode": "force_generic_plan", "enable_seqscan": "off"])
        let folder = try SpoolFolder(path: settings.spoolDirectory, limits: .init(bytes: settings.spoolBytes))
        let parts = IngestParts(
            settings: settings, database: Database(pool: ingestPool), folder: folder, registry: registry,
            metrics: metrics, logger: logger)
        return Ground(
            registry: registry, metrics: metrics, ingestPool: ingestPool, systemPool: systemPool, folder: folder,
            parts: parts)
    }

    private var publicPort: PublicPort {
        PublicPort(
            host: settings.host, port: settings.port, maxConnections: settings.maxConnections, start: start,
            grace: settings.shutdownGrace, idleTimeout: .seconds(60), deadlines: settings.deadlines)
    }

    private func router(_ parts: IngestParts) -> Router<AnonymousRequestContext> {
        let router = Router(context: AnonymousRequestContext.self)
        router.get("/health-check") { _, _ in try JSONResponse.make(["status": "ok"]) }
        parts.metricBatchRoute.register(on: router)
        parts.webhookRoute.register(on: router)
        return router
    }

    private func pool(
        _ url: String, _ name: String, _ connections: Int, _ settings: [String: String] = [:]
    ) -> PostgresPool {
        PostgresPool(
            PoolConfiguration(
                connection: ConnectionConfiguration(
                    url: url, applicationName: name, connectTimeout: .seconds(3), statementTimeout: .seconds(30),
                    settings: [
                        "lock_timeout": "2000", "idle_in_transaction_session_timeout": "5000", "jit": "off",
                        "synchronous_commit": "on",
                    ].merging(settings) { _, own in own }),
                maxConnections: connections, acquireTimeout: .seconds(2)),
            logger: logger)
    }
}
