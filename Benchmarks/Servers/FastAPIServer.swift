import Foundation
import Postgres
import Support

/// The server of `Benchmarks/fastapi`: two workers on a database of its own, which has a primary key over its rows.
struct FastAPIServer: Sendable {
    /// How it inserts a batch's rows.
    enum Insertion: String {
        case executemany, unnest
    }

    let port: Int
    let stores: [Laboratory.Store]

    func requests(_ shape: SampleShape, instants: Int? = nil) -> SampleRequests {
        SampleRequests(shape, .json(path: "/v1/metrics/batch", keys: stores.map(\.key)), instants: instants)
    }

    static func withServer<Value: Sendable>(
        _ insertion: Insertion, _ body: (FastAPIServer) async throws -> Value
    ) async throws -> Value {
        let programs = try await environment()
        let folder = try Folder.make("fastapi")
        defer { try? FileManager.default.removeItem(at: folder) }
        let stores = (1...100).map { Laboratory.Store(code: "T\($0)", key: "key_\(UUID().uuidString)") }
        let port = try FreePorts.take(1)[0]
        let database = try await TestPostgres.createDatabase()
        try await makeTables(stores, in: database)
        let server = try await ServerProcess.start(
            "uvicorn",
            [
                programs.appendingPathComponent("uvicorn").path, "server:app", "--app-dir", sources.path,
                "--host", "127.0.0.1", "--port", "\(port)", "--workers", "2", "--no-access-log", "--log-level",
                "warning",
            ], environment: ["DATABASE_URL": try TestPostgres.url(database: database), "INSERT": insertion.rawValue],
            folder: folder)
        let value = try await server.whileRunning("http://127.0.0.1:\(port)/ready") {
            try await body(FastAPIServer(port: port, stores: stores))
        }
        try await TestPostgres.dropDatabase(database)
        return value
    }

    private static let sources = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("fastapi")

    /// Python's packages, installed once below `.local/`.
    /// - Returns: where its programs are.
    private static func environment() async throws -> URL {
        let root = sources.deletingLastPathComponent().deletingLastPathComponent()
        let environment = root.appendingPathComponent(".local/bench-fastapi")
        let programs = environment.appendingPathComponent("bin")
        let requirements = sources.appendingPathComponent("requirements.txt")
        let done = environment.appendingPathComponent("requirements.txt")
        if FileManager.default.contentsEqual(atPath: requirements.path, andPath: done.path) { return programs }
        try await Shell.run("python3", ["-m", "venv", "--clear", environment.path])
        try await Shell.run(
            programs.appendingPathComponent("pip").path, ["install", "--quiet", "-r", requirements.path])
        try FileManager.default.copyItem(at: requirements, to: done)
        return programs
    }

    private static func makeTables(_ stores: [Laboratory.Store], in database: String) async throws {
        let connection = try await PostgresConnection.connect(
            ConnectionConfiguration(url: try TestPostgres.url(database: database), applicationName: "bench"))
        try await connection.run("CREATE TABLE keys (sha256 bytea PRIMARY KEY, store_id int NOT NULL)")
        try await connection.run(
            """
            CREATE TABLE series (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, store_id int NOT NULL,
                                 metric text NOT NULL, labels text NOT NULL, UNIQUE (store_id, metric, labels))
            """)
        try await connection.run(
            """
            CREATE TABLE samples (series_id int NOT NULL, ts bigint NOT NULL, value float8 NOT NULL,
                                  PRIMARY KEY (series_id, ts))
            """)
        try await connection.run(
            """
            INSERT INTO keys (sha256, store_id)
            SELECT sha256(k.key::bytea), k.number FROM unnest(\(stores.map(\.key))) WITH ORDINALITY AS k (key, number)
            """)
        await connection.close()
    }
}
