import Foundation
import Support

/// Another server that takes the same samples: started for a section with an empty directory, and gone after it.
struct Peer: Sendable {
    let name: String
    let port: Int
    /// What is on the disk when it answers.
    let durability: String
    let directory: URL
    let path: String

    func requests(_ shape: SampleShape, instants: Int? = nil) -> SampleRequests {
        SampleRequests(shape, .lines(path: path), instants: instants)
    }

    /// InfluxDB with its defaults, which sync the write-ahead log before they answer.
    /// - Parameter quickToDisk: shards are written out and compacted after seconds without writes rather than hours.
    static func withInfluxDB<Value: Sendable>(
        quickToDisk: Bool = false, _ body: (Peer) async throws -> Value
    ) async throws -> Value {
        let directory = try Folder.make("influxdb")
        defer { try? FileManager.default.removeItem(at: directory) }
        let ports = try FreePorts.take(2)
        let port = ports[0]
        var environment = [
            "INFLUXDB_META_DIR": directory.path + "/meta", "INFLUXDB_DATA_DIR": directory.path + "/data",
            "INFLUXDB_DATA_WAL_DIR": directory.path + "/wal", "INFLUXDB_HTTP_BIND_ADDRESS": "127.0.0.1:\(port)",
            "INFLUXDB_BIND_ADDRESS": "127.0.0.1:\(ports[1])", "INFLUXDB_REPORTING_DISABLED": "true",
            "INFLUXDB_HTTP_LOG_ENABLED": "false", "INFLUXDB_MONITOR_STORE_ENABLED": "false",
        ]
        if quickToDisk {
            environment["INFLUXDB_DATA_CACHE_SNAPSHOT_WRITE_COLD_DURATION"] = "2s"
            environment["INFLUXDB_DATA_COMPACT_FULL_WRITE_COLD_DURATION"] = "2s"
        }
        let process = try await ServerProcess.start(
            "influxd", ["influxd", "run", "-config", "/dev/null"], environment: environment, folder: directory)
        return try await process.whileRunning("http://127.0.0.1:\(port)/ping") {
            let made = try await Web.post(
                "http://127.0.0.1:\(port)/query", "q=CREATE DATABASE bench",
                contentType: "application/x-www-form-urlencoded")
            guard made.isGood else { throw BenchFailure(description: "InfluxDB: \(made.text)") }
            return try await body(
                Peer(
                    name: "InfluxDB", port: port, durability: "yes", directory: directory,
                    path: "/write?db=bench&precision=ms"))
        }
    }

    /// VictoriaMetrics with its defaults, which answer when the samples are in memory; they reach the disk seconds later.
    static func withVictoriaMetrics<Value: Sendable>(_ body: (Peer) async throws -> Value) async throws -> Value {
        let directory = try Folder.make("victoria-metrics")
        defer { try? FileManager.default.removeItem(at: directory) }
        let port = try FreePorts.take(1)[0]
        let process = try await ServerProcess.start(
            "victoria-metrics",
            [
                "victoria-metrics", "-storageDataPath=\(directory.path)/data", "-httpListenAddr=127.0.0.1:\(port)",
                "-retentionPeriod=36", "-loggerLevel=WARN",
            ], folder: directory)
        return try await process.whileRunning("http://127.0.0.1:\(port)/health") {
            try await body(
                Peer(
                    name: "VictoriaMetrics", port: port, durability: "no", directory: directory,
                    path: "/write?precision=ms"))
        }
    }
}
