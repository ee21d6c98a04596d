import CLibpq
import Glibc
import Logging

/// One libpq connection with all that belongs to it. Lives on its `ConnectionThread` and is touched nowhere else.
///
/// It stays in pipeline mode and non-blocking, so one way of sending and reading serves single statements and
/// pipelines of thousands; only COPY and scripts leave pipeline mode for their duration.
final class Session {
    let handle: OpaquePointer
    let configuration: ConnectionConfiguration
    let wakeUp: WakeUp
    let health: ConnectionHealth
    let logger: Logger
    var cache: StatementCache
    /// Reused for each statement sent.
    var scratch = ParameterScratch()
    private(set) var broken: PostgresError?
    /// When it was connected.
    private(set) var wasWritable = false
    var isClosing = false
    var notifications: AsyncThrowingStream<Notification, any Error>.Continuation?

    /// Who is being served, and the request to stop it once the caller has cancelled.
    var call: Call?
    var cancellation: Cancellation?
    /// When the network counts as dead; moved on whenever bytes move.
    var deadline: ContinuousClock.Instant?

    init(
        _ configuration: ConnectionConfiguration, wakeUp: WakeUp, health: ConnectionHealth, logger: Logger
    ) throws {
        self.configuration = configuration
        self.wakeUp = wakeUp
        self.health = health
        self.logger = logger
        cache = StatementCache(capacity: configuration.statementCacheSize)
        handle = try Self.connect(configuration)
        guard PQsetnonblocking(handle, 1) == 0, PQenterPipelineMode(handle) == 1 else {
            defer { PQfinish(handle) }
            throw PostgresError(kind: .connectFailed, message: Self.message(of: handle))
        }
        forwardNotices()
        wasWritable = !saysReadOnly
        health.publish(.idle)
    }

    /// Notices go to our log instead of libpq's default, standard error.
    private func forwardNotices() {
        let forward: PQnoticeProcessor = { session, message in
            guard let session, let message else { return }
            let logger = Unmanaged<Session>.fromOpaque(session).takeUnretainedValue().logger
            logger.debug("notice from the database", metadata: ["notice": "\(String(cString: message))"])
        }
        // Unretained: the connection is finished before its session goes.
        PQsetNoticeProcessor(handle, forward, Unmanaged.passUnretained(self).toOpaque())
    }

    /// Blocks this thread; libpq itself goes through the hosts and keeps to `connect_timeout` for each.
    private static func connect(_ configuration: ConnectionConfiguration) throws -> OpaquePointer {
        let keywords = try configuration.keywords()
        let names = CStrings(keywords.map(\.0))
        let values = CStrings(keywords.map(\.1))
        guard let handle = PQconnectdbParams(names.pointers, values.pointers, 1) else {
            throw PostgresError(kind: .connectFailed, message: "out of memory")
        }
        guard PQstatus(handle) == CONNECTION_OK else {
            defer { PQfinish(handle) }
            throw PostgresError(kind: .connectFailed, message: message(of: handle))
        }
        return handle
    }

    /// Ends the connection; nothing may be called afterwards.
    func close() {
        health.publish(.broken)
        notifications?.finish(throwing: broken)
        PQfinish(handle)
    }

    static func message(of handle: OpaquePointer) -> String {
        let text = PQerrorMessage(handle).map { String(cString: $0) } ?? ""
        return text.split(separator: "\n").joined(separator: " ")
    }

    var transactionStatus: PGTransactionStatusType { PQtransactionStatus(handle) }

    /// The server reports it by itself (PostgreSQL 14 and later): it is a standby, or an operator told it to take no writes.
    var saysReadOnly: Bool { isOn("in_hot_standby") || isOn("default_transaction_read_only") }

    private func isOn(_ parameter: String) -> Bool {
        PQparameterStatus(handle, parameter).map { String(cString: $0) } == "on"
    }

    /// After this the connection runs nothing more; its owner has to discard it.
    func fail(_ error: PostgresError) {
        guard broken == nil else { return }
        broken = error
        health.publish(.broken)
        notifications?.finish(throwing: error)
        notifications = nil
    }

    func lost() -> PostgresError {
        let error = PostgresError(kind: .connectionLost, message: Self.message(of: handle))
        fail(error)
        return broken ?? error
    }
}

/// C strings for libpq's NULL-terminated keyword lists.
private final class CStrings {
    let pointers: [UnsafePointer<CChar>?]
    private let owned: [UnsafeMutablePointer<CChar>?]

    init(_ strings: [String]) {
        owned = strings.map { strdup($0) }
        pointers = owned.map { UnsafePointer($0) } + [nil]
    }

    deinit {
        for pointer in owned { free(pointer) }
    }
}
