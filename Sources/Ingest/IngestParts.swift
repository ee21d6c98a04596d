import Logging
import Postgres
import Shared

/// What the routes of ingest stand on, made once.
struct IngestParts: Sendable {
    let keys: StoreKeyDirectory
    let integrations: IntegrationDirectory
    let owners: OwnerDirectory
    let activity: Activity
    /// Of batches, whose senders are known before their bodies are read; of webhooks, which are not; and of webhooks that name no
    /// integration: so that strangers use up nobody else's.
    let bodies, webhookBodies, strangersBodies: BodyBudget
    let metricBatcher: Batcher<MetricRecord, MetricOutcome>
    let uplinkBatcher: Batcher<UplinkSubmission, [UplinkOutcome]>
    let spool: Spool
    let drain: SpoolDrain
    let metricBatchRoute: MetricBatchRoute
    let webhookRoute: WebhookRoute

    init(
        settings: IngestSettings, database: Database, folder: SpoolFolder, registry: MetricRegistry,
        metrics: IngestMetrics, logger: Logger
    ) {
        let parsers = JSONParserPool()
        strangersBodies = BodyBudget(limit: settings.bodyBytes / 16)
        webhookBodies = BodyBudget(limit: settings.bodyBytes * 3 / 16)
        bodies = BodyBudget(limit: settings.bodyBytes * 3 / 4)
        let admission = Admission(
            rates: RateLimiter(settings.redis, scope: "ingest", registry: registry, logger: logger))
        let series = SeriesDirectory(
            store: SeriesStore(database: database), capacity: settings.seriesCacheSize, patience: settings.spoolAfter)
        let metricWriter = MetricGroupWriter(pool: database.pool, logger: logger)
        let uplinkWriter = UplinkGroupWriter(pool: database.pool, logger: logger)
        let availability = DatabaseAvailability(ping: { await database.pool.ping() }, logger: logger)
        let isAway: @Sendable () -> Bool = { availability.isAway }
        keys = StoreKeyDirectory(database: database, isAway: isAway)
        integrations = IntegrationDirectory(
            database: database, secretBox: settings.secretBox, logger: logger, isAway: isAway)
        owners = OwnerDirectory(
            database: database, capacity: settings.ownerCacheSize, patience: settings.spoolAfter
        ) {
            metrics.orphansForgotten.increment(by: $0)
        }
        activity = Activity(database: database, logger: logger)
        metricBatcher = Batcher(
            lanes: settings.metricLanes,
            limits: .init(groupCost: settings.groupSamples, queueCost: settings.queueSamples),
            deadline: settings.spoolAfter
        ) { await metricWriter.write($0) }
        uplinkBatcher = Batcher(
            lanes: settings.uplinkLanes,
            limits: .init(groupCost: settings.groupUplinks, queueCost: settings.queueUplinks),
            deadline: settings.spoolAfter
        ) { await uplinkWriter.write($0) }
        spool = Spool(folder: folder, metrics: metrics.spool, logger: logger)
        let fallback = SpoolFallback(spool: spool, availability: availability)
        let batches = MetricIntake(parser: MetricBatchParser(parsers: parsers), series: series, batcher: metricBatcher)
        let webhooks = WebhookIntake(
            generic: GenericDialect(parsers: parsers),
            uplinks: UplinkIntake(owners: owners, series: series, batcher: uplinkBatcher),
            quarantine: Quarantine(database: database) { metrics.quarantineDropped.increment(by: $0) })
        let spooled = SpoolIntake(
            tenants: LookupCache(capacity: 1_000) { slug in
                let tenant = try await database.lookUp(Tenant.bySlug(slug)).first
                return (tenant, tenant?.id)
            }, owners: owners, batches: batches, webhooks: webhooks, metrics: metrics.spool)
        drain = SpoolDrain(
            folder: folder, intake: spooled, availability: availability, interval: .milliseconds(250),
            metrics: metrics.spool, logger: logger)
        metricBatchRoute = MetricBatchRoute(
            keys: keys, admission: admission, intake: batches, fallback: fallback, activity: activity, bodies: bodies,
            metrics: metrics)
        webhookRoute = WebhookRoute(
            integrations: integrations, admission: admission, intake: webhooks, fallback: fallback,
            bodies: webhookBodies,
            strangersBodies: strangersBodies, metrics: metrics)
    }

    /// Drops from the caches what a change in a table concerns.
    func invalidate(_ tenant: TenantID, after table: String) {
        switch table {
        case "devices", "device_profiles": owners.invalidate(tenant)
        case "sessions", "memberships", "users", "roles": break // of people
        default:
            keys.invalidate(tenant)
            integrations.invalidate(tenant)
        }
    }

    func invalidateAll() {
        keys.invalidateAll()
        integrations.invalidateAll()
        owners.invalidateAll()
    }

    func register(in registry: MetricRegistry) {
        let (metricBatcher, uplinkBatcher) = (metricBatcher, uplinkBatcher)
        let bodies = [bodies, webhookBodies, strangersBodies]
        registry.gauge("pulsegate_ingest_body_bytes", help: "Bodies of requests held, in bytes.") {
            Double(bodies.reduce(0) { $0 + $1.heldBytes })
        }
        registry.gauge(
            "pulsegate_ingest_queued_samples", help: "Samples (and a little for each request) that wait to be written."
        ) {
            Double(metricBatcher.waitingCost)
        }
        registry.gauge("pulsegate_ingest_queued_uplinks", help: "Uplinks that wait to be written.") {
            Double(uplinkBatcher.waitingCost)
        }
    }
}
