import Logging
import Shared

/// Every setting of the ingest process.
struct IngestSettings: Sendable {
    private enum Key {
        static let host = SettingKey<String>.text(
            "INGEST_HOST", default: "127.0.0.1", meaning: "Address that gateways and network servers reach.")
        static let port = SettingKey<Int>.port(
            "INGEST_PORT", default: 8080, meaning: "Port that gateways and network servers reach.")
        static let maxConnections = SharedSettings.maxConnections("INGEST_MAX_CONNECTIONS")
        static let adminHost = SettingKey<String>.text(
            "INGEST_ADMIN_HOST", default: "127.0.0.1", meaning: "Address of /live, /ready and /metrics.")
        static let adminPort = SettingKey<Int>.port(
            "INGEST_ADMIN_PORT", default: 9080, meaning: "Port of /live, /ready and /metrics.")
        static let ingestDatabaseURL = SettingKey<String>.databaseURL(
            "INGEST_DATABASE_URL", meaning: "The database, as pulsegate_ingest.")
        static let systemDatabaseURL = SettingKey<String>.databaseURL(
            "SYSTEM_DATABASE_URL", meaning: "The same database, as pulsegate_system: compaction and other upkeep.")
        static let connections = SettingKey<Int>.integer(
            "INGEST_DATABASE_CONNECTIONS", default: 12, in: 4...500, meaning: "Connections to the database at most.")
        static let metricLanes = SettingKey<Int>.integer(
            "INGEST_METRIC_LANES", default: 2, in: 1...64,
            meaning: "Groups of metric batches written at the same time at most; another only while the first is slow.")
        static let uplinkLanes = SettingKey<Int>.integer(
            "INGEST_UPLINK_LANES", default: 2, in: 1...64,
            meaning: "Groups of uplinks written at the same time at most; another only while the first is slow.")
        static let groupSamples = SettingKey<Int>.integer(
            "INGEST_GROUP_SAMPLES", default: 40_000, in: 1...1_000_000, unit: "samples",
            meaning: "Samples written in one transaction at most.")
        static let queueSamples = SettingKey<Int>.integer(
            "INGEST_QUEUE_SAMPLES", default: 1_000_000, in: 1...100_000_000, unit: "samples",
            meaning: "Samples that may wait to be written; each takes 20 bytes. Beyond that: 503.")
        static let groupUplinks = SettingKey<Int>.integer(
            "INGEST_GROUP_UPLINKS", default: 500, in: 1...10_000, unit: "uplinks",
            meaning: "Uplinks written in one transaction at most.")
        static let queueUplinks = SettingKey<Int>.integer(
            "INGEST_QUEUE_UPLINKS", default: 20_000, in: 1...1_000_000, unit: "uplinks",
            meaning: "Uplinks that may wait to be written; each takes up to 20 KiB. Beyond that: 503.")
        static let bodyBytes = SettingKey<Int>.integer(
            "INGEST_BODY_BYTES", default: 256 << 20, in: 1 << 20...1 << 40, unit: "bytes",
            meaning:
                "Bodies of requests held at once, over all connections: three quarters for batches, the others for webhooks. Beyond that: 503."
        )
        static let seriesCacheSize = SettingKey<Int>.integer(
            "INGEST_SERIES_CACHE", default: 500_000, in: 1_000...50_000_000, unit: "series",
            meaning: "Series remembered; each takes some 150 bytes.")
        static let ownerCacheSize = SettingKey<Int>.integer(
            "INGEST_DEVICE_CACHE", default: 200_000, in: 1_000...10_000_000, unit: "devices",
            meaning: "Devices remembered; each takes some 150 bytes.")
        static let spoolDirectory = SettingKey<String>.text(
            "SPOOL_DIR", default: nil,
            meaning:
                "Directory on a local disk where requests are kept while the database is away; of this process alone.")
        static let spoolBytes = SettingKey<Int>.integer(
            "SPOOL_MAX_BYTES", default: 4 << 30, in: 1 << 20...1 << 44, unit: "bytes",
            meaning: "Bytes kept in the spool at most; a batch of 100 samples takes some 9 kB. Beyond that: 503.")
        static let spoolAfter = SettingKey<Duration>.seconds(
            "SPOOL_AFTER", default: 2, in: 0.1...60,
            meaning: "How long a request waits for a slow database before it is spooled.")
        static let drainsOnly = SettingKey<Bool>.switch(
            "SPOOL_DRAIN_ONLY", default: false,
            meaning: "Store what the spool holds, and end: nothing listens. `pulsegate spool drain` sets it.")
        static let compactionInterval = SettingKey<Duration>.seconds(
            "COMPACTION_INTERVAL", default: 5, in: 0.01...3_600,
            meaning: "Time between two looks for logs worth compacting, over which their work is spread.")
    }

    static let declarations: [any SettingDeclaration] =
        [
            Key.host, Key.port, Key.maxConnections, Key.adminHost, Key.adminPort, Key.ingestDatabaseURL,
            Key.systemDatabaseURL,
            Key.connections,
            SharedSettings.masterKey, Key.metricLanes, Key.uplinkLanes, Key.groupSamples, Key.queueSamples,
            Key.groupUplinks,
            Key.queueUplinks, Key.bodyBytes, Key.seriesCacheSize, Key.ownerCacheSize, Key.spoolDirectory,
            Key.spoolBytes,
            Key.spoolAfter, Key.drainsOnly, Key.compactionInterval,
            SharedSettings.redis, SharedSettings.logLevel, SharedSettings.shutdownGrace,
        ] + SharedSettings.deadlines

    let host: String
    let port: Int
    let maxConnections: Int
    let adminHost: String
    let adminPort: Int
    let ingestDatabaseURL: String
    let systemDatabaseURL: String
    let ingestConnections: Int
    let metricLanes: Int
    let uplinkLanes: Int
    let groupSamples: Int
    let queueSamples: Int
    let groupUplinks: Int
    let queueUplinks: Int
    let bodyBytes: Int
    let seriesCacheSize: Int
    let ownerCacheSize: Int
    let spoolDirectory: String
    let spoolBytes: Int
    let spoolAfter: Duration
    let drainsOnly: Bool
    let compactionInterval: Duration
    let secretBox: SecretBox
    let redis: RedisAddress?
    let logLevel: Logger.Level
    let shutdownGrace: Duration
    let deadlines: RequestDeadlines.Limits

    init(_ reader: SettingsReader) {
        host = reader[Key.host]
        port = reader[Key.port]
        maxConnections = reader[Key.maxConnections]
        adminHost = reader[Key.adminHost]
        adminPort = reader[Key.adminPort]
        ingestDatabaseURL = reader[Key.ingestDatabaseURL]
        systemDatabaseURL = reader[Key.systemDatabaseURL]
        ingestConnections = reader[Key.connections]
        metricLanes = reader[Key.metricLanes]
        uplinkLanes = reader[Key.uplinkLanes]
        groupSamples = reader[Key.groupSamples]
        queueSamples = reader[Key.queueSamples]
        groupUplinks = reader[Key.groupUplinks]
        queueUplinks = reader[Key.queueUplinks]
        bodyBytes = reader[Key.bodyBytes]
        seriesCacheSize = reader[Key.seriesCacheSize]
        ownerCacheSize = reader[Key.ownerCacheSize]
        spoolDirectory = reader[Key.spoolDirectory]
        spoolBytes = reader[Key.spoolBytes]
        spoolAfter = reader[Key.spoolAfter]
        drainsOnly = reader[Key.drainsOnly]
        compactionInterval = reader[Key.compactionInterval]
        redis = reader[SharedSettings.redis]
        secretBox = SecretBox(reader[SharedSettings.masterKey])
        logLevel = reader[SharedSettings.logLevel]
        shutdownGrace = reader[SharedSettings.shutdownGrace]
        deadlines = RequestDeadlines.Limits(reader)
    }
}
