import AsyncHTTPClient
import Logging
import Postgres
import Shared

/// What the query process can be told. ``declarations`` is also what the configuration reference is made of.
struct QuerySettings: Sendable {
    static let host = SettingKey<String>.text(
        "QUERY_HOST", default: "127.0.0.1", meaning: "Address that the API listens on.")
    static let port = SettingKey<Int>.port("QUERY_PORT", default: 8081, meaning: "Port of the API.")
    static let maxConnections = SharedSettings.maxConnections("QUERY_MAX_CONNECTIONS")
    static let adminHost = SettingKey<String>.text(
        "QUERY_ADMIN_HOST", default: "127.0.0.1", meaning: "Address of /live, /ready and /metrics.")
    static let adminPort = SettingKey<Int>.port(
        "QUERY_ADMIN_PORT", default: 9081, meaning: "Port of /live, /ready and /metrics.")
    static let databaseURL = SettingKey<String>.databaseURL(
        "QUERY_DATABASE_URL", meaning: "The database, as the role pulsegate_query.")
    static let systemDatabaseURL = SettingKey<String?>.optionalText(
        "SYSTEM_DATABASE_URL",
        meaning:
            "The same database, as pulsegate_system: for jobs, which one of the processes that have it runs. Without it this process leaves them to others.",
        isSecret: true)
    static let jobsInterval = SettingKey<Duration>.seconds(
        "JOBS_INTERVAL", default: 10, in: 0.1...3_600,
        meaning: "How often reservations and low stock are looked after.")
    static let poolSize = SettingKey<Int>.integer(
        "QUERY_DATABASE_POOL_SIZE", default: 10, in: 1...500, unit: "connections",
        meaning: "Connections to the database at most, beside one that listens for changes.")
    static let statementTimeout = SettingKey<Duration>.seconds(
        "QUERY_STATEMENT_TIMEOUT", default: 20, in: 0.1...600, meaning: "How long one statement may take.")
    static let passwordThreads = SettingKey<Int>.integer(
        "QUERY_PASSWORD_THREADS", default: 2, in: 1...64, unit: "threads",
        meaning: "Passwords hashed at once; each takes 19 MiB.")
    static let origins = SettingKey<[String]>.origins(
        "QUERY_CORS_ORIGINS",
        meaning:
            "Web origins whose pages may call the API, separated by commas, such as https://dashboards.example.com; * for all."
    )

    static let publicURL = SettingKey<String>.text(
        "PUBLIC_URL", default: "http://127.0.0.1:8081",
        meaning:
            "Base of the links in letters: PUBLIC_URL/join?token=… and PUBLIC_URL/reset?token=…, pages of your front end that call the API."
    )
    static let ingestURL = SettingKey<String>.text(
        "INGEST_URL", default: "http://127.0.0.1:8080",
        meaning: "Where network servers reach ingest, for the URLs of integrations.")
    static let baseDomain = SettingKey<String?>.optionalText(
        "BASE_DOMAIN", meaning: "With pulsegate.example.com, acme.pulsegate.example.com names the tenant acme.")
    static let registration = SettingKey<Registration.Policy>.choice(
        "REGISTRATION", default: .closed, meaning: "open: anybody may found a tenant over the API; closed: nobody.")
    static let bootstrapToken = SettingKey<String?>.optionalText(
        "BOOTSTRAP_TOKEN",
        meaning: "Lets whoever has it become the first owner of the tenant `default`, once, over the API.",
        isSecret: true)
    static let strangersRate = SettingKey<Int>.integer(
        "SIGN_INS_PER_SECOND", default: 20, in: 1...1_000_000, unit: "requests a second",
        meaning:
            "Requests of one address to sign in, to register and the like, and with wrong credentials; the burst is five times that."
    )
    static let resendAPIKey = SettingKey<String?>.optionalText(
        "RESEND_API_KEY", meaning: "Sends mail through Resend; needs MAIL_FROM.", isSecret: true)
    static let resendURL = SettingKey<String>.text(
        "RESEND_URL", default: "https://api.resend.com", meaning: "Where Resend's API is.")
    static let mailFrom = SettingKey<String?>.optionalText(
        "MAIL_FROM", meaning: "The sender of mail, such as `Pulsegate <no-reply@example.com>`.")
    static let mailFolder = SettingKey<String?>.optionalText(
        "MAIL_FOLDER", meaning: "A folder that mail is put into instead of being sent, a file each: to try things out.")
    static let whatsAppToken = SettingKey<String?>.optionalText(
        "WHATSAPP_TOKEN", meaning: "Sends notifications by WhatsApp's Cloud API; needs WHATSAPP_PHONE_NUMBER_ID.",
        isSecret: true)
    static let whatsAppPhoneNumberID = SettingKey<String?>.optionalText(
        "WHATSAPP_PHONE_NUMBER_ID", meaning: "The sender's number, by its id at WhatsApp.")
    static let whatsAppURL = SettingKey<String>.text(
        "WHATSAPP_URL", default: "https://graph.facebook.com/v21.0", meaning: "Where WhatsApp's Cloud API is.")
    static let whatsAppTemplate = SettingKey<String?>.optionalText(
        "WHATSAPP_TEMPLATE",
        meaning:
            "An approved template with one parameter in its body. Without one, only people who wrote within the last 24 hours are reached."
    )
    static let whatsAppTemplateLanguage = SettingKey<String>.text(
        "WHATSAPP_TEMPLATE_LANGUAGE", default: "en", meaning: "The template's language, such as es or pt_BR.")
    static let privateNetworks = SettingKey<[IPNetwork]>(
        "WEBHOOK_PRIVATE_NETWORKS", default: [], defaultText: "",
        meaning:
            "Private networks that outgoing webhooks may reach all the same, separated by commas, such as 10.1.0.0/16."
    ) { text throws(SettingValueFault) in try SharedSettings.networks(text) }

    static let declarations: [any SettingDeclaration] =
        [
            host, port, maxConnections, adminHost, adminPort, databaseURL, systemDatabaseURL, jobsInterval, poolSize,
            statementTimeout,
            passwordThreads,
            origins, publicURL, ingestURL, baseDomain, registration, bootstrapToken, resendAPIKey, resendURL, mailFrom,
            mailFolder, whatsAppToken, whatsAppPhoneNumberID, whatsAppURL, whatsAppTemplate, whatsAppTemplateLanguage,
            privateNetworks, strangersRate,
            SharedSettings.masterKey, SharedSettings.redis, SharedSettings.trustedProxies, SharedSettings.tokenSecret,
            SharedSettings.tokenKey,
            SharedSettings.previousTokenSecret, SharedSettings.previousTokenKey, SharedSettings.logLevel,
            SharedSettings.shutdownGrace,
        ] + SharedSettings.deadlines

    let host: String
    let port: Int
    let maxConnections: Int
    let adminHost: String
    let adminPort: Int
    let connection: ConnectionConfiguration
    /// For jobs; nil where this process runs none.
    let systemConnection: ConnectionConfiguration?
    let jobsInterval: Duration
    let poolSize: Int
    let passwordThreads: Int
    let origins: [String]
    let services: QueryServices.Options
    let proxies: TrustedProxies
    let secretBox: SecretBox
    let tokenKeys: TokenKeys
    let logLevel: Logger.Level
    let shutdownGrace: Duration
    let deadlines: RequestDeadlines.Limits

    /// - Throws: what contradicts each other.
    init(_ reader: SettingsReader) throws(SettingsFault) {
        host = reader[Self.host]
        port = reader[Self.port]
        maxConnections = reader[Self.maxConnections]
        adminHost = reader[Self.adminHost]
        adminPort = reader[Self.adminPort]
        poolSize = reader[Self.poolSize]
        passwordThreads = reader[Self.passwordThreads]
        origins = reader[Self.origins]
        secretBox = SecretBox(reader[SharedSettings.masterKey])
        proxies = reader[SharedSettings.trustedProxies]
        services = QueryServices.Options(
            registration: reader[Self.registration], bootstrapToken: reader[Self.bootstrapToken],
            notifier: try Self.notifier(reader), whatsApp: try Self.whatsApp(reader),
            privateNetworks: reader[Self.privateNetworks], strangersRate: Double(reader[Self.strangersRate]),
            redis: reader[SharedSettings.redis], publicURL: reader[Self.publicURL], ingestURL: reader[Self.ingestURL],
            baseDomain: reader[Self.baseDomain], jobsInterval: reader[Self.jobsInterval])
        tokenKeys = try TokenKeys(reader)
        logLevel = reader[SharedSettings.logLevel]
        shutdownGrace = reader[SharedSettings.shutdownGrace]
        deadlines = RequestDeadlines.Limits(reader)
        connection = Self.connection(reader[Self.databaseURL], "pulsegate-query", reader)
        systemConnection = reader[Self.systemDatabaseURL].map { Self.jobConnection($0, reader) }
        jobsInterval = reader[Self.jobsInterval]
    }

    static func jobConnection(_ url: String, _ reader: SettingsReader) -> ConnectionConfiguration {
        connection(url, "pulsegate-query-jobs", reader)
    }

    private static func connection(_ url: String, _ name: String, _ reader: SettingsReader) -> ConnectionConfiguration {
        ConnectionConfiguration(
            url: url, applicationName: name, statementTimeout: reader[statementTimeout],
            // What waits longer for a lock, or forgot its transaction, stands in others' way.
            settings: ["lock_timeout": "2s", "idle_in_transaction_session_timeout": "5s"])
    }

    private static func notifier(_ reader: SettingsReader) throws(SettingsFault) -> (any Notifier)? {
        let folder = reader[mailFolder].map(MailFolder.init)
        guard let apiKey = reader[resendAPIKey] else { return folder }
        guard folder == nil else {
            throw SettingsFault([SettingFault(name: mailFolder.name, reason: "and RESEND_API_KEY are both set")])
        }
        guard let sender = reader[mailFrom] else {
            throw SettingsFault([SettingFault(name: mailFrom.name, reason: "is missing: RESEND_API_KEY is set")])
        }
        return ResendNotifier(client: .shared, baseURL: reader[resendURL], apiKey: apiKey, sender: sender)
    }

    private static func whatsApp(_ reader: SettingsReader) throws(SettingsFault) -> (any Notifier)? {
        let (token, number, template) = (
            reader[whatsAppToken], reader[whatsAppPhoneNumberID], reader[whatsAppTemplate]
        )
        guard let token, let number else {
            let given: (any SettingDeclaration)? =
                token != nil
                ? whatsAppToken : number != nil ? whatsAppPhoneNumberID : template.map { _ in whatsAppTemplate }
            guard let given else { return nil }
            let missing = [whatsAppToken, whatsAppPhoneNumberID].filter { reader[$0] == nil }
            throw SettingsFault(missing.map { SettingFault(name: $0.name, reason: "is missing: \(given.name) is set") })
        }
        return WhatsAppNotifier(
            client: .shared, baseURL: reader[whatsAppURL], phoneNumberID: number, token: token,
            template: template.map { .init(name: $0, language: reader[whatsAppTemplateLanguage]) })
    }
}
