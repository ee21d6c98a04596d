import Foundation
import Logging
import Postgres
import ServiceLifecycle
import Shared
import UnixSignals

@main
struct Main {
    private static let program = "pulsegate-query"

    static func main() async {
        if CommandLine.arguments.dropFirst().first == JobCommand.word {
            await JobCommand.main(Array(CommandLine.arguments.dropFirst(2)))
        }
        let start = exitOnFault(program) { () throws(SettingsFault) in try ProcessStart() }
        let reader = SettingsReader.ofProcess(program, QuerySettings.declarations)
        let settings = exitOnFault(program) { () throws(SettingsFault) in try QuerySettings(reader) }
        LogOutput.bootstrap(level: settings.logLevel)
        let logger = Logger(label: program)
        let pool = PostgresPool(
            PoolConfiguration(connection: settings.connection, maxConnections: settings.poolSize), logger: logger)
        let gate = SchemaGate(database: Database(pool: pool), logger: logger)
        do {
            // Before anything listens; a database that is away is waited for while the process runs, not ready.
            _ = try await gate.open()
            try await serve(settings, start, pool, gate, logger)
        } catch let error as StaleSchema {
            logger.critical("\(error)")
            exit(SettingsFault.exitStatus)
        } catch {
            // Such as a port that another process has.
            logger.critical("stopped", metadata: ["error": "\(error)"])
            exit(EXIT_FAILURE)
        }
    }

    private static func serve(
        _ settings: QuerySettings, _ start: ProcessStart, _ pool: PostgresPool, _ gate: SchemaGate, _ logger: Logger
    ) async throws {
        let metrics = MetricRegistry()
        metrics.registerProcessMetrics()
        metrics.registerPool(pool)
        let services = await QueryServices(
            database: Database(pool: pool), tokenKeys: settings.tokenKeys, secretBox: settings.secretBox,
            passwords: PasswordHasher(threads: settings.passwordThreads), metrics: metrics, logger: logger,
            settings.services)
        let drain = DrainMarker()
        let listening = ListeningMarker()
        let reachable = ReadinessCheck("database") { await pool.ping() }
        let checks = [gate.check, listening.check, reachable, drain.check]
        let admin = AdminServer(checks: checks, metrics: metrics)
        let publicServer = PublicServer(
            buildEdge(services, origins: settings.origins, proxies: settings.proxies).buildResponder(),
            on: PublicPort(
                host: settings.host, port: settings.port, maxConnections: settings.maxConnections, start: start,
                grace: settings.shutdownGrace, idleTimeout: .seconds(120), deadlines: settings.deadlines),
            drain: drain, listening: listening, metrics: metrics, logger: logger)
        let jobs = jobs(settings, services, logger)
        var group = ServiceGroupConfiguration(
            services: jobs.base + [
                PoolClosing(pool), gate,
                ChangeListening(
                    settings.connection, logger: logger, onChange: { services.directory.invalidate($1) },
                    onUnknown: { services.directory.invalidateAll() }),
                services.postman, services.exporter,
                admin.application(host: settings.adminHost, port: settings.adminPort, logger: logger),
                publicServer,
                services.streams,
                ServiceManagerNotices(
                    start.serviceManager, checks: checks, isAlive: publicServer.turn, logger: logger),
            ] + jobs.runners + [drain],
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        group.maximumGracefulShutdownDuration = .seconds(20)
        try await ServiceGroup(configuration: group).run()
    }

    /// What is done in the background, with the connections that it takes. The runner stands late among the services, so it is stopped
    /// early: another process leads while this one finishes its requests.
    private static func jobs(
        _ settings: QuerySettings, _ services: QueryServices, _ logger: Logger
    ) -> (base: [any Service], runners: [any Service]) {
        guard let connection = settings.systemConnection else {
            logger.notice("no SYSTEM_DATABASE_URL: jobs are run by other processes")
            return ([], [])
        }
        let pool = PostgresPool(
            PoolConfiguration(connection: connection, maxConnections: JobRunner.width), logger: logger)
        let database = Database(pool: pool)
        // Of its own, so that no job that takes long holds up what is to be sent.
        let outboxPool = PostgresPool(
            PoolConfiguration(connection: connection, maxConnections: Outbox.connections), logger: logger)
        let outbox = services.outbox(Database(pool: outboxPool), logger: logger)
        let runner = JobRunner(
            jobs: JobKind.allCases.map { $0.job(database, logger) },
            ticks: [.init(name: "outbox", every: .seconds(1)) { try await outbox.deliverDue(at: .now()) }],
            interval: settings.jobsInterval, connection: connection, database: database, metrics: services.metrics,
            logger: logger)
        return ([PoolClosing(pool), PoolClosing(outboxPool), OutboxSettling(outbox: outbox)], [runner])
    }
}
