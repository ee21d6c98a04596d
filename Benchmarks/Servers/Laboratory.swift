import Foundation
import Postgres
import Support

/// A fresh database with one tenant: a hundred stores, an integration, and as many sensors as one wants. Each section has its
/// own, so that none measures what another left behind.
struct Laboratory: Sendable {
    struct Store: Decodable, Sendable {
        let code: String
        let key: String
    }

    private struct Onboarded: Decodable {
        struct User: Decodable {
            let email: String
            let password: String
        }
        struct Integration: Decodable {
            let id: String
            let secret: String
        }
        let user: User
        let stores: [Store]
        let integration: Integration
    }

    /// Where gateways reach ingest, and people the query process.
    var ingestPort: Int { ports[0] }
    var queryPort: Int { ports[1] }
    var ingestAdminPort: Int { ports[2] }

    let folder: URL
    let database: String
    let sensors: Int
    let stores: [Store]
    let integrationID: String
    let integrationSecret: String
    let email: String
    let password: String
    /// Ingest, query, and the admin ports of both.
    private let ports: [Int]
    private let environment: [String: String]
    private let memory: PeakMemory

    /// Needs `TEST_DATABASE_URL` (see `deploy/local/with-postgres --durable`) and release builds of the processes.
    static func open(sensors: Int = 0, _ memory: PeakMemory) async throws -> Laboratory {
        let folder = try Folder.make("laboratory")
        let name = try await TestPostgres.createDatabase()
        let ports = try FreePorts.take(4)
        let environment = try environment(of: name, ports)
        try await Shell.run(binary("pulsegate"), ["migrate"], environment: environment)
        let onboarded = try await onboard("bench", plan: "enterprise", stores: 100, environment)
        let laboratory = Laboratory(
            folder: folder, database: name, sensors: sensors, stores: onboarded.stores,
            integrationID: onboarded.integration.id, integrationSecret: onboarded.integration.secret,
            email: onboarded.user.email, password: onboarded.user.password, ports: ports, environment: environment,
            memory: memory)
        if sensors > 0 { try await laboratory.importSensors() }
        try await laboratory.age()
        return laboratory
    }

    /// - Returns: the key of its one store.
    func onboardNoisyTenant() async throws -> String {
        let onboarded = try await Self.onboard("noisy", plan: "basic", stores: 1, environment)
        guard let store = onboarded.stores.first else { throw BenchFailure(description: "no store was made") }
        return store.key
    }

    private static func onboard(
        _ slug: String, plan: String, stores: Int, _ environment: [String: String]
    ) async throws -> Onboarded {
        let output = try await Shell.run(
            binary("pulsegate"),
            [
                "tenant", "onboard", "--slug", slug, "--name", slug, "--plan", plan, "--stores", "\(stores)",
                "--email", "\(slug)@example.com", "--user-name", slug, "--json",
            ], environment: environment)
        return try JSONDecoder().decode(Onboarded.self, from: Data(output.utf8))
    }

    func close() async throws {
        try await TestPostgres.dropDatabase(database)
        try FileManager.default.removeItem(at: folder)
    }

    /// Makes the server one that has run for a while: its planner knows what is there, and write-ahead log goes into files that are
    /// there already instead of waiting for each to be filled with zeros first.
    private func age() async throws {
        try await withConnection { connection in
            try await connection.run("ANALYZE")
            for _ in 0..<Self.recycledFiles {
                try await connection.run("SELECT pg_logical_emit_message(false, 'bench', 'a record for a new file')")
                try await connection.run("SELECT pg_switch_wal()")
            }
            try await connection.run("CHECKPOINT")
        }
    }

    /// Of 16 MiB each: more than a run of a minute writes.
    private static let recycledFiles = 100

    private func importSensors() async throws {
        let file = folder.appendingPathComponent("devices.csv")
        let lines = (0..<sensors).map { "\(Self.deviceEUI($0)),Sensor \($0)" }
        try Data((["device_eui,name"] + lines).joined(separator: "\n").utf8).write(to: file)
        try await Shell.run(
            Self.binary("pulsegate"), ["device", "import", file.path, "--tenant", "bench"], environment: environment)
    }

    static func deviceEUI(_ number: Int) -> String { String(format: "70b3d57ed0%06x", number) }

    /// How often ingest condenses the log.
    enum CompactionPace: Sendable {
        /// Once at the start, when there is nothing, and not again.
        case off
        /// As by default.
        case normal
        case everySeconds(Double)
    }

    /// Runs `body` beside an ingest process and notes how much memory that took.
    func withIngest<Value: Sendable>(
        compaction: CompactionPace, _ body: () async throws -> Value
    ) async throws -> Value {
        try await withIngestProcess(compaction: compaction) { _ in try await body() }
    }

    func withIngestProcess<Value: Sendable>(
        compaction: CompactionPace = .normal, _ body: (ServerProcess) async throws -> Value
    ) async throws -> Value {
        let more: [String: String] =
            switch compaction {
            case .off: ["COMPACTION_INTERVAL": "3600"]
            case .normal: [:]
            case .everySeconds(let seconds): ["COMPACTION_INTERVAL": "\(seconds)"]
            }
        let process = try await ServerProcess.start(
            "pulsegate-ingest", [Self.binary("pulsegate-ingest")],
            environment: environment.merging(more) { _, new in new }, folder: folder)
        return try await process.whileRunning("http://127.0.0.1:\(ingestAdminPort)/ready") {
            let value = try await body(process)
            memory.note(process.peakMemory)
            return value
        }
    }

    func withQuery<Value: Sendable>(
        _ settings: [String: String] = [:], _ body: () async throws -> Value
    ) async throws -> Value {
        let process = try await ServerProcess.start(
            "pulsegate-query", [Self.binary("pulsegate-query")],
            environment: environment.merging(settings) { _, new in new }, folder: folder)
        return try await process.whileRunning("http://127.0.0.1:\(ports[3])/ready", body)
    }

    /// As a superuser, whom row-level security does not bind; statements may take as long as they like.
    func withConnection<Value: Sendable>(
        to other: String? = nil, _ body: (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        let connection = try await PostgresConnection.connect(
            ConnectionConfiguration(
                url: try TestPostgres.url(database: other ?? database), applicationName: "bench", statementTimeout: nil,
                tcpUserTimeout: nil))
        do {
            let value = try await body(connection)
            await connection.close()
            return value
        } catch {
            await connection.close()
            throw error
        }
    }
}

extension Laboratory {
    private static func binary(_ name: String) -> String {
        URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appendingPathComponent(name).path
    }

    private static func environment(of database: String, _ ports: [Int]) throws -> [String: String] {
        let masterKey = Data((0..<32).map { _ in UInt8.random(in: .min ... .max) }).base64EncodedString()
        return [
            "DATABASE_URL": try TestPostgres.url(database: database),
            "INGEST_DATABASE_URL": try TestPostgres.url(database: database, user: "pulsegate_ingest"),
            "QUERY_DATABASE_URL": try TestPostgres.url(database: database, user: "pulsegate_query"),
            "SYSTEM_DATABASE_URL": try TestPostgres.url(database: database, user: "pulsegate_system"),
            "MASTER_KEY": "k1:" + masterKey, "JWT_SECRET": UUID().uuidString + UUID().uuidString,
            "INGEST_PORT": "\(ports[0])", "QUERY_PORT": "\(ports[1])", "INGEST_ADMIN_PORT": "\(ports[2])",
            "QUERY_ADMIN_PORT": "\(ports[3])", "LOG_LEVEL": "warning", "SHUTDOWN_GRACE": "0",
            "SPOOL_DIR": FileManager.default.temporaryDirectory.appendingPathComponent("spool-\(database)").path,
        ]
    }
}
