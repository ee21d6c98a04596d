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

    static let declarations: [any SettingDeclaration] =
        [
            host, port, maxConnections, adminHost, adminPort, databaseURL, poolSize, statementTimeout, passwordThreads,
            origins,
            SharedSettings.tokenKey, SharedSettings.logLevel, SharedSettings.shutdownGrace,
        ] + SharedSettings.deadlines

    let host: String
    let port: Int
    let maxConnections: Int
    let adminHost: String
    let adminPort: Int
    let connection: ConnectionConfiguration
    let poolSize: Int
    let passwordThreads: Int
    let origins: [String]
    let tokenKey: TokenKey
    let logLevel: Logger.Level
    let shutdownGrace: Duration
    let deadlines: RequestDeadlines.Limits

    init(_ reader: SettingsReader) {
        host = reader[Self.host]
        port = reader[Self.port]
        maxConnections = reader[Self.maxConnections]
        adminHost = reader[Self.adminHost]
        adminPort = reader[Self.adminPort]
        poolSize = reader[Self.poolSize]
        passwordThreads = reader[Self.passwordThreads]
        origins = reader[Self.origins]
        tokenKey = reader[SharedSettings.tokenKey]
        logLevel = reader[SharedSettings.logLevel]
        shutdownGrace = reader[SharedSettings.shutdownGrace]
        deadlines = RequestDeadlines.Limits(reader)
        connection = ConnectionConfiguration(
            url: reader[Self.databaseURL], applicationName: "pulsegate-query",
            statementTimeout: reader[Self.statementTimeout],
            // What waits longer for a lock, or forgot its transaction, stands in others' way.
            settings: ["lock_timeout": "2s", "idle_in_transaction_session_timeout": "5s"])
    }
}
