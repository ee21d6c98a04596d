import Foundation
import Postgres
import Support

/// A database of its own, the processes on it, and tenants onboarded by the command-line tool.
final class Installation: Sendable {
    struct Tenant: Sendable {
        let slug: String
        let email: String
        let password: String
        let storeKeys: [String: String]
        let integrationID: String
        let secret: String
    }

    struct Failed: Error, CustomStringConvertible {
        let description: String
    }

    let client = TestClient()
    let database: String
    /// Of the server, where it is not the tests' own.
    private let host: String?
    let ingestPort: Int
    let queryPort: Int
    let ingestAdminPort: Int
    private let queryAdminPort: Int
    var queryMetricsURL: String { "http://127.0.0.1:\(queryAdminPort)/metrics" }
    let environment: [String: String]

    var ingestURL: String { "http://127.0.0.1:\(ingestPort)" }
    var queryURL: String { "http://127.0.0.1:\(queryPort)" }
    var ingestMetricsURL: String { "http://127.0.0.1:\(ingestAdminPort)/metrics" }
    /// What /ready says; nil where nobody answers.
    var ingestReadiness: Int? {
        get async { await client.status(of: "http://127.0.0.1:\(ingestAdminPort)/ready") }
    }

    private init(database: String, host: String?) throws {
        self.database = database
        self.host = host
        let ports = try FreePorts.take(4)
        (ingestPort, ingestAdminPort, queryPort, queryAdminPort) = (ports[0], ports[1], ports[2], ports[3])
        environment = [
            "DATABASE_URL": try TestPostgres.url(database: database, host: host),
            "INGEST_DATABASE_URL": try TestPostgres.url(database: database, user: "pulsegate_ingest", host: host),
            "QUERY_DATABASE_URL": try TestPostgres.url(database: database, user: "pulsegate_query", host: host),
            "SYSTEM_DATABASE_URL": try TestPostgres.url(database: database, user: "pulsegate_system", host: host),
            "MASTER_KEY": "k1:" + Data((0..<32).map { _ in UInt8.random(in: .min ... .max) }).base64EncodedString(),
            "JWT_SECRET": UUID().uuidString + UUID().uuidString,
            "INGEST_HOST": "127.0.0.1", "INGEST_PORT": "\(ports[0])", "INGEST_ADMIN_PORT": "\(ports[1])",
            "QUERY_HOST": "127.0.0.1", "QUERY_PORT": "\(ports[2])", "QUERY_ADMIN_PORT": "\(ports[3])",
            "SHUTDOWN_GRACE": "0",
            "SPOOL_DIR": FileManager.default.temporaryDirectory.appendingPathComponent("spool-\(database)").path,
        ]
    }

    /// Makes and migrates a database, runs `body`, and drops it.
    static func run<Value: Sendable>(
        on host: String? = nil, _ body: @Sendable (Installation) async throws -> Value
    ) async throws -> Value {
        let name = try await TestPostgres.createDatabase(host: host)
        let installation = try Installation(database: name, host: host)
        let result: Result<Value, any Error>
        do {
            _ = try await installation.pulsegate(["migrate"])
            result = .success(try await body(installation))
        } catch {
            result = .failure(error)
        }
        try await installation.client.shutDown()
        try await TestPostgres.dropDatabase(name, host: host)
        if FileManager.default.fileExists(atPath: installation.spoolFolder.path) {
            try FileManager.default.removeItem(at: installation.spoolFolder)
        }
        return try result.get()
    }

    func startIngest(_ more: [String: String] = [:], after setUp: String? = nil) async throws -> ServerProcess {
        let process = try launchIngest(more, after: setUp)
        try await process.waitUntilReady(adminPort: ingestAdminPort, client)
        return process
    }

    /// Without waiting until it is ready.
    func launchIngest(_ more: [String: String], after setUp: String? = nil) throws -> ServerProcess {
        try ServerProcess(
            "pulsegate-ingest", environment: environment.merging(more) { _, new in new }, after: setUp)
    }

    /// The settings that make ingest reach the database through a proxy.
    func databaseURLs(through proxy: String) throws -> [String: String] {
        try ["INGEST_DATABASE_URL": "pulsegate_ingest", "SYSTEM_DATABASE_URL": "pulsegate_system"].mapValues { user in
            try TestPostgres.url(database: database, user: user, host: proxy)
        }
    }

    var spoolFolder: URL { URL(fileURLWithPath: environment["SPOOL_DIR"] ?? "") }

    func startQuery(_ more: [String: String] = [:]) async throws -> ServerProcess {
        let process = try ServerProcess("pulsegate-query", environment: environment.merging(more) { _, new in new })
        try await process.waitUntilReady(adminPort: queryAdminPort, client)
        return process
    }

    /// Another one beside it, as behind a balancer.
    /// - Returns: the process, where it is reached, and where its metrics are.
    func startReplica(
        _ more: [String: String] = [:]
    ) async throws -> (process: ServerProcess, url: String, metricsURL: String) {
        let ports = try FreePorts.take(2)
        let own = ["QUERY_PORT": "\(ports[0])", "QUERY_ADMIN_PORT": "\(ports[1])"].merging(more) { $1 }
        let process = try ServerProcess("pulsegate-query", environment: environment.merging(own) { $1 })
        try await process.waitUntilReady(adminPort: ports[1], client)
        return (process, "http://127.0.0.1:\(ports[0])", "http://127.0.0.1:\(ports[1])/metrics")
    }

    /// Runs the command-line tool to its end and returns what it printed.
    @discardableResult
    func pulsegate(_ arguments: [String]) async throws -> String {
        let process = try ServerProcess("pulsegate", arguments: arguments, environment: environment)
        let status = await process.waitForExit()
        guard status == 0 else {
            throw Failed(description: "pulsegate \(arguments.joined(separator: " ")): \(status)\n\(process.output)")
        }
        return process.output
    }

    func onboard(_ slug: String, stores: Int = 3) async throws -> Tenant {
        let output = try await pulsegate([
            "tenant", "onboard", "--slug", slug, "--name", slug, "--plan", "enterprise", "--stores", "\(stores)",
            "--email", "owner@\(slug).example", "--user-name", "Owner", "--json",
        ])
        guard let start = output.firstIndex(of: "{"),
            let json = try JSONSerialization.jsonObject(with: Data(output[start...].utf8)) as? [String: Any],
            let user = json["user"] as? [String: Any], let stores = json["stores"] as? [[String: Any]],
            let integration = json["integration"] as? [String: Any]
        else { throw Failed(description: "onboard printed \(output)") }
        let keys = stores.map { ($0["code"] as? String ?? "", $0["key"] as? String ?? "") }
        return Tenant(
            slug: slug, email: user["email"] as? String ?? "", password: user["password"] as? String ?? "",
            storeKeys: Dictionary(uniqueKeysWithValues: keys), integrationID: integration["id"] as? String ?? "",
            secret: integration["secret"] as? String ?? "")
    }

    /// Reads as a superuser, whom row-level security does not bind: all tenants at once.
    func rows<Output>(_ statement: Statement<Output>) async throws -> [Output] {
        let connection = try await PostgresConnection.connect(
            ConnectionConfiguration(url: try TestPostgres.url(database: database, host: host), applicationName: "tests")
        )
        let rows = try await connection.all(statement)
        await connection.close()
        return rows
    }

    /// As a superuser.
    func execute(_ script: String) async throws {
        let connection = try await PostgresConnection.connect(
            ConnectionConfiguration(url: try TestPostgres.url(database: database, host: host), applicationName: "tests")
        )
        try await connection.execute(script: script)
        await connection.close()
    }
}

extension Installation {
    func importDevice(_ deviceEUI: String, of slug: String) async throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("devices-\(UUID().uuidString).csv")
        try Data("device_eui,name\n\(deviceEUI),Sensor\n".utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        try await pulsegate(["device", "import", file.path, "--tenant", slug])
    }
}

extension Installation {
    func signIn(_ tenant: Tenant) async throws -> String {
        let answer = try await client.post(
            queryURL + "/api/v1/auth/login", json: ["email": tenant.email, "password": tenant.password])
        guard let token = answer.json["access_token"] as? String else {
            throw Failed(description: "login: \(answer.status) \(answer.text)")
        }
        return token
    }
}
