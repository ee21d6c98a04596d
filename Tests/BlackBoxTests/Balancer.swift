import Foundation

/// HAProxy in front of ingest processes, asking each one's /ready whether it may be sent to.
final class Balancer: Sendable {
    struct Failed: Error, CustomStringConvertible {
        let description: String
    }

    let port: Int
    private let statisticsPort: Int
    private let process: ServerProcess
    private let client: TestClient
    private let file: URL

    /// - Parameter nodes: each is a server by the name of its place in the list.
    init(_ nodes: [IngestNode], port: Int, statisticsPort: Int, _ client: TestClient) throws {
        self.port = port
        self.statisticsPort = statisticsPort
        self.client = client
        let servers = nodes.enumerated().map { number, node in
            "    server \(number) 127.0.0.1:\(node.port) check port \(node.adminPort)"
        }
        let configuration = """
            defaults
                mode http
                log stdout format raw local0
                option httplog
                timeout connect 5s
                timeout client 60s
                timeout server 60s
                # On a busy machine a node that is well may take its time.
                timeout check 5s
                # What the balancer would hide from the senders, the test wants to see.
                retries 0
            frontend gateways
                bind 127.0.0.1:\(port)
                default_backend ingest
            frontend statistics
                bind 127.0.0.1:\(statisticsPort)
                stats enable
                stats uri /
            backend ingest
                balance roundrobin
                option httpchk GET /ready
                http-check expect status 200
                default-server inter 50ms fall 1 rise 1
            \(servers.joined(separator: "\n"))

            """
        file = FileManager.default.temporaryDirectory.appendingPathComponent("haproxy-\(UUID().uuidString).cfg")
        try Data(configuration.utf8).write(to: file)
        process = try ServerProcess(
            executable: "/usr/sbin/haproxy", name: "haproxy", arguments: ["-db", "-f", file.path])
    }

    /// Waits until the balancer itself has seen that a node may be sent to.
    func waitUntilUp(_ number: Int) async throws {
        for _ in 0..<600 {
            let text = (try? await client.send(.get, "http://127.0.0.1:\(statisticsPort)/;csv"))?.text ?? ""
            let line = text.split(separator: "\n").first { $0.hasPrefix("ingest,\(number),") }
            if line?.split(separator: ",", omittingEmptySubsequences: false).dropFirst(17).first == "UP" { return }
            // It tells nobody; it can be asked.
            try await Task.sleep(for: .milliseconds(50))
        }
        throw Failed(description: "node \(number) is not up:\n\(process.output)")
    }

    /// What it said of requests that did not go well, and of nodes that came and went.
    var complaints: String {
        process.output.split(separator: "\n").filter { !$0.contains(" 200 ") && !$0.contains(" 202 ") }.joined(
            separator: "\n")
    }

    func stop() async {
        await process.killAndWait()
        try? FileManager.default.removeItem(at: file)
    }
}

/// Where one of several ingest processes of an installation is.
struct IngestNode: Sendable {
    let port: Int
    let adminPort: Int
    let name: String

    func start(_ installation: Installation, _ more: [String: String] = [:]) async throws -> ServerProcess {
        let own = [
            "INGEST_PORT": "\(port)", "INGEST_ADMIN_PORT": "\(adminPort)",
            "SPOOL_DIR": installation.spoolFolder.appendingPathComponent(name).path,
        ]
        let environment = installation.environment.merging(own) { _, own in own }.merging(more) { _, more in more }
        let process = try ServerProcess("pulsegate-ingest", environment: environment)
        try await process.waitUntilReady(adminPort: adminPort, installation.client)
        return process
    }
}
