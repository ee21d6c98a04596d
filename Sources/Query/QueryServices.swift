import Logging
import Postgres
import Shared

/// What endpoints work with.
struct QueryServices: Sendable {
    /// What of it an installation decides.
    struct Options: Sendable {
        /// How long the caches of sign-in believe what they know.
        var accessTimeToLive = Duration.seconds(4)
        var failures = FailureThrottle.Limits()
        var registration = Registration.Policy.closed
        var bootstrapToken: String?
        var notifier: (any Notifier)?
        var whatsApp: (any Notifier)?
        /// That outgoing webhooks may reach.
        var privateNetworks: [IPNetwork] = []
        /// Requests a second of an address that has not said whose they are.
        var strangersRate = 20.0
        var redis: RedisAddress?
        var streams = EventStreams.Limits()
        /// For links in mail.
        var publicURL = ""
        /// Where network servers reach ingest.
        var ingestURL = ""
        /// Whose subdomains name tenants; nil for none.
        var baseDomain: String?
        /// Of jobs that should happen soon.
        var jobsInterval = Duration.seconds(10)
    }

    let database: Database
    let tokens: AccessTokens
    let passwords: PasswordHasher
    let metrics: MetricRegistry
    let directory: AccessDirectory
    let door: SignInGuard
    let postman: Postman
    let exporter: Exporter
    let streams: EventStreams
    let links: Links
    let registration: Registration
    let admission: Admission
    let secretBox: SecretBox
    /// Where outgoing webhooks may go.
    let addressGuard: AddressGuard
    /// For notifications; those that are set up.
    let notifiers: [NewNotification.Channel: any Notifier]
    let ingestURL: String
    let baseDomain: String?
    let jobsInterval: Duration

    init(
        database: Database, tokenKeys: TokenKeys, secretBox: SecretBox, passwords: PasswordHasher,
        metrics: MetricRegistry, logger: Logger,
        _ options: Options = .init()
    ) async {
        self.database = database
        self.passwords = passwords
        self.metrics = metrics
        self.secretBox = secretBox
        addressGuard = AddressGuard(exceptions: options.privateNetworks)
        notifiers = [NewNotification.Channel.email: options.notifier, .whatsapp: options.whatsApp].compactMapValues(
            \.self)
        ingestURL = options.ingestURL
        baseDomain = options.baseDomain
        jobsInterval = options.jobsInterval
        tokens = await AccessTokens(current: tokenKeys.current, previous: tokenKeys.previous)
        directory = AccessDirectory(database: database, timeToLive: options.accessTimeToLive)
        door = SignInGuard(options.failures, metrics: metrics)
        streams = EventStreams(database: database, limits: options.streams, metrics: metrics)
        exporter = Exporter(database: database, logger: logger)
        postman = Postman(options.notifier, metrics: metrics, logger: logger)
        let rates = RateLimiter(options.redis, scope: "query", registry: metrics, logger: logger)
        admission = Admission(rates: rates, strangersRate: options.strangersRate)
        links = Links(publicURL: options.publicURL)
        registration = Registration(
            database: database, passwords: passwords, policy: options.registration,
            bootstrapToken: options.bootstrapToken)
    }
}

extension QueryServices {
    /// With threads of its own to ask name servers: whoever names hosts over the API holds up no message.
    ///
    /// - Parameter database: as `pulsegate_system`.
    func outbox(_ database: Database, logger: Logger) -> Outbox {
        Outbox(
            database: database, secretBox: secretBox, sender: WebhookSender(addresses: AddressLookup(addressGuard)),
            notifiers: notifiers,
            metrics: OutboxMetrics(metrics), logger: logger)
    }
}
