import Crypto
import Foundation
import Postgres

/// A database, an ingest process on it, and a tenant with a hundred stores' worth of keys and a thousand sensors.
struct Laboratory {
    static let sensors = 1_000

    let databaseURL: String
    private let ingest: Process
    private let port: Int
    private let storeKey: String
    private let integration: (id: String, secret: String)
    private let folder: URL

    struct Failed: Error, CustomStringConvertible {
        let description: String
    }

    /// Needs `TEST_DATABASE_URL` (see `deploy/local/with-postgres --durable`) and release builds of the processes.
    static func open() async throws -> Laboratory {
        guard let server = ProcessInfo.processInfo.environment["TEST_DATABASE_URL"] else {
            throw Failed(description: "TEST_DATABASE_URL is not set: run `make bench`")
        }
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "pulsegate-bench-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let binaries = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        let environment = [
            "DATABASE_URL": server, "INGEST_DATABASE_URL": role("pulsegate_ingest", server),
            "SYSTEM_DATABASE_URL": role("pulsegate_system", server), "INGEST_PORT": "18080",
            "INGEST_ADMIN_PORT": "19080",
            "MASTER_KEY": "k1:" + Data((0..<32).map { _ in UInt8.random(in: .min ... .max) }).base64EncodedString(),
            "LOG_LEVEL": "warning",
        ]
        let tool = binaries.appendingPathComponent("pulsegate").path
        _ = try await Shell.run(tool, ["migrate"], environment: environment)
        let onboarded = try await Shell.run(
            tool,
            [
                "tenant", "onboard", "--slug", "bench", "--name", "Bench", "--plan", "enterprise", "--stores", "1",
                "--email", "bench@example.com", "--user-name", "Bench", "--json",
            ], environment: environment)
        let devices = folder.appendingPathComponent("devices.csv")
        let lines = (0..<sensors).map { "\(deviceEUI($0)),Sensor \($0)" }
        try Data((["device_eui,name"] + lines).joined(separator: "\n").utf8).write(to: devices)
        _ = try await Shell.run(
            tool, ["device", "import", devices.path, "--tenant", "bench"], environment: environment)

        let json = try JSONSerialization.jsonObject(with: Data(onboarded.utf8)) as? [String: Any]
        guard let store = (json?["stores"] as? [[String: Any]])?.first, let key = store["key"] as? String,
            let integration = json?["integration"] as? [String: Any], let id = integration["id"] as? String,
            let secret = integration["secret"] as? String
        else { throw Failed(description: "onboarding printed \(onboarded)") }

        let ingest = Process()
        ingest.executableURL = binaries.appendingPathComponent("pulsegate-ingest")
        ingest.environment = ProcessInfo.processInfo.environment.merging(environment) { _, ours in ours }
        try ingest.run()
        try await untilReady("http://127.0.0.1:19080/ready", ingest)
        return Laboratory(
            databaseURL: server, ingest: ingest, port: 18080, storeKey: key, integration: (id, secret), folder: folder)
    }

    func close() async {
        ingest.terminate()
        ingest.waitUntilExit()
        try? FileManager.default.removeItem(at: folder)
    }

    /// Every request new: all its rows have its own time, one row for each series.
    func metricBatches(samplesEach: Int, _ load: Load) async throws -> Load.Run {
        let start = Int64(Date().timeIntervalSince1970 * 1000) - 80 * 86_400_000
        let counter = """
            n = n + 1
            return wrk.format(nil, nil, nil, table.concat(parts, tostring(\(start) + n * 1000)))
            """
        return try await batches(samplesEach, "request = function()\n\(counter)\nend", load)
    }

    /// One body over and over: after the first, all duplicates.
    func resentBatches(samplesEach: Int, _ load: Load) async throws -> Load.Run {
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        let script = """
            request = function() return wrk.format(nil, nil, nil, table.concat(parts, "\(now)")) end
            """
        return try await batches(samplesEach, script, load)
    }

    private func batches(_ samples: Int, _ request: String, _ load: Load) async throws -> Load.Run {
        let rows = (0..<samples).map { row in
            "{\"name\":\"bench.value\",\"value\":\(Double(row * 37 % 10_000) / 100),\"labels\":{\"sensor\":\"\(row)\"},\"ts\":"
        }
        let parts = zip(rows, ["{\"metrics\":["] + rows.dropFirst().map { _ in "}," }).map { $1 + $0 } + ["}]}"]
        let script = """
            wrk.method = "POST"
            wrk.path = "/v1/metrics/batch"
            wrk.headers["Authorization"] = "Bearer \(storeKey)"
            wrk.headers["Content-Type"] = "application/json"
            n = 0
            parts = { \(parts.map { "[==[\($0)]==]" }.joined(separator: ", ")) }
            \(request)
            """
        return try await run(script, load)
    }

    /// Signed beforehand; enough of them that none is sent twice. Two seconds before the measured run let every device send its
    /// first, which makes its series.
    func signedUplinks(_ load: Load) async throws -> Load.Run {
        let warmUp = Load(seconds: 2, connections: load.connections)
        _ = try await sendUplinks(0..<60_000, warmUp)
        return try await sendUplinks(60_000..<60_000 + load.seconds * 30_000, load)
    }

    private func sendUplinks(_ numbers: Range<Int>, _ load: Load) async throws -> Load.Run {
        let key = SymmetricKey(data: Data(integration.secret.utf8))
        let start = Int64(Date().timeIntervalSince1970 * 1000) - 86_400_000
        var lines = ""
        for number in numbers {
            let body = Self.uplink(number, at: start + Int64(number / Self.sensors) * 60_000)
            let signature = HMAC<SHA256>.authenticationCode(for: Data(body.utf8), using: key)
                .map { String(format: "%02x", $0) }.joined()
            lines += "\(signature)\(body)\n"
        }
        let data = folder.appendingPathComponent("uplinks.txt")
        try Data(lines.utf8).write(to: data)
        let script = """
            wrk.method = "POST"
            wrk.path = "/v1/webhooks/\(integration.id)"
            next_line = io.lines("\(data.path)")
            request = function()
                local line = next_line()
                return wrk.format(nil, nil, { ["X-Webhook-Signature"] = line:sub(1, 64) }, line:sub(65))
            end
            """
        return try await run(script, load)
    }

    /// pgbench inserts the row that an uplink becomes, one a transaction. (A colon before a letter would be a variable to it.)
    func pgbenchInsertsPerSecond(_ load: Load) async throws -> Double {
        let connection = try await PostgresConnection.connect(ConnectionConfiguration(url: databaseURL))
        try await connection.run(
            """
            CREATE TABLE bench_uplinks (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, device_eui text, fcnt bigint,
                received_at timestamptz, payload jsonb, rssi float8, snr float8)
            """)
        let script = folder.appendingPathComponent("insert.sql")
        try Data(
            """
            \\set device random(1, \(Self.sensors))
            \\set fcnt random(1, 1000000000)
            INSERT INTO bench_uplinks (device_eui, fcnt, received_at, payload, rssi, snr)
            VALUES ('70b3d57ed' || :device, :fcnt, now(), '{"occupied": true, "temperature": 21.4, "battery": 97}', -97, 7.2);
            """.utf8
        ).write(to: script)
        let output = try await Shell.run(
            "pgbench",
            [
                "-n", "-M", "prepared", "-c", "\(load.connections)", "-j", "1", "-t", "\(load.seconds * 150)", "-f",
                script.path, databaseURL,
            ])
        try await connection.run("DROP TABLE bench_uplinks")
        await connection.close()
        guard let rate = output.field(after: "tps =").flatMap(Double.init) else {
            throw Failed(description: "pgbench said: \(output)")
        }
        return rate
    }

    private func run(_ script: String, _ load: Load) async throws -> Load.Run {
        let file = folder.appendingPathComponent("load.lua")
        try Data(script.utf8).write(to: file)
        var run = try await load.run(url: "http://127.0.0.1:\(port)", script: file)
        run.memory = Self.peakMemory(of: ingest.processIdentifier)
        return run
    }

    private static func uplink(_ number: Int, at milliseconds: Int64) -> String {
        """
        {"device_eui":"\(deviceEUI(number % sensors))","fcnt":\(number / sensors),"f_port":2,"dev_addr":"26011bda",\
        "received_at":\(milliseconds),"rssi":-97,"snr":7.2,"gateway_id":"gw-1",\
        "payload":{"occupied":true,"temperature":21.4,"battery":97}}
        """
    }

    private static func deviceEUI(_ number: Int) -> String { String(format: "70b3d57ed000%04x", number) }

    /// VmHWM in MiB.
    private static func peakMemory(of processID: Int32) -> Int {
        let status = (try? String(contentsOfFile: "/proc/\(processID)/status", encoding: .utf8)) ?? ""
        return (status.field(after: "VmHWM:").flatMap(Int.init) ?? 0) / 1024
    }

    private static func role(_ name: String, _ url: String) -> String {
        guard var components = URLComponents(string: url) else { return url }
        components.user = name
        return components.string ?? url
    }

    private static func untilReady(_ url: String, _ process: Process) async throws {
        for _ in 0..<300 where process.isRunning {
            if (try? await Shell.run("curl", ["-fsS", "-o", "/dev/null", url])) != nil { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw Failed(description: "ingest did not become ready")
    }
}
