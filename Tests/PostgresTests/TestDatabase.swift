import Postgres
import Support
import Synchronization
import Testing

/// A database and a pool on it, for the time of one test.
func withPool<Value: Sendable>(
    maxConnections: Int = 4, configure: (inout PoolConfiguration) -> Void = { _ in },
    _ body: @Sendable (PostgresPool) async throws -> Value
) async throws -> Value {
    let name = try await TestPostgres.createDatabase()
    var configuration = PoolConfiguration(
        connection: ConnectionConfiguration(url: try TestPostgres.url(database: name)), maxConnections: maxConnections,
        acquireTimeout: .seconds(20))
    configure(&configuration)
    let pool = PostgresPool(configuration)
    do {
        let value = try await body(pool)
        await pool.close()
        try await TestPostgres.dropDatabase(name)
        return value
    } catch {
        try? await TestPostgres.dropDatabase(name)
        throw error
    }
}

func withConnection<Value: Sendable>(
    statementTimeout: Duration? = .seconds(30), cacheSize: Int = 256, url: String? = nil,
    _ body: (PostgresConnection) async throws -> Value
) async throws -> Value {
    let configuration = ConnectionConfiguration(
        url: try url ?? TestPostgres.url(), statementTimeout: statementTimeout, statementCacheSize: cacheSize)
    let connection = try await PostgresConnection.connect(configuration)
    let value = try await body(connection)
    await connection.close()
    return value
}

struct NeverHappened: Error {}

/// What several tasks note down.
final class Noted<Value: Sendable>: Sendable {
    private let content: Mutex<Value>

    init(_ value: Value) {
        content = Mutex(value)
    }

    var value: Value { content.withLock { $0 } }

    func change(_ change: (inout Value) -> Void) {
        content.withLock { change(&$0) }
    }
}

/// Asks again and again until the answer is yes; each question is an event of its own, so nothing sleeps.
func until(_ condition: () async throws -> Bool) async throws {
    let limit = ContinuousClock.now + .seconds(30)
    while try await !condition() {
        guard ContinuousClock.now < limit else { throw NeverHappened() }
        await Task.yield()
    }
}

/// The error that `body` throws, unwrapped from a pipeline's.
func postgresError(_ body: () async throws -> some Any) async -> PostgresError? {
    do {
        _ = try await body()
        return nil
    } catch {
        return error as? PostgresError ?? (error as? PipelineError)?.underlying
    }
}

/// A proxy in front of the test server, and a URL that leads through it. The server has to listen on the loopback.
func withProxy(_ body: (StallingProxy, _ url: String) async throws -> Void) async throws {
    try await StallingProxy.withServer { proxy, host in
        // Without TLS the proxy can tell what passes.
        let url = try TestPostgres.url(host: host)
        try await body(proxy, url + (url.contains("?") ? "&" : "?") + "sslmode=disable")
    }
}
