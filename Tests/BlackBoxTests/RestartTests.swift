import Foundation
import Support
import Testing

/// Processes are replaced under load, and no sender notices.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct RestartTests {
    private static let gateways = 4

    /// Two ingest processes behind HAProxy, stopped and started in turn.
    @Test func behindABalancerNoSenderNoticesARestart() async throws {
        try await Installation.run { installation in
            let tenant = try await installation.onboardSenders("acme", Self.gateways)
            let ports = try FreePorts.take(6)
            let nodes = (0..<2).map {
                IngestNode(port: ports[2 * $0], adminPort: ports[2 * $0 + 1], name: "node-\($0)")
            }
            let settings = ["SHUTDOWN_GRACE": "1"]
            var processes: [ServerProcess] = []
            for node in nodes { processes.append(try await node.start(installation, settings)) }
            let balancer = try Balancer(nodes, port: ports[4], statisticsPort: ports[5], installation.client)
            for number in nodes.indices { try await balancer.waitUntilUp(number) }
            let load = Load(installation, tenant, to: "http://127.0.0.1:\(balancer.port)")
            try await load.whileSending(Self.gateways) {
                for restart in 0..<6 {
                    let number = restart % nodes.count
                    try await load.progress(20)
                    processes[number].send(SIGTERM)
                    #expect(await processes[number].waitForExit() == 0, "\(processes[number].output)")
                    processes[number] = try await nodes[number].start(installation, settings)
                    try await balancer.waitUntilUp(number)
                }
                try await load.progress(20)
            }
            await balancer.stop()
            #expect(!load.hasComplained, "\(balancer.complaints)")
            try await load.ledger.check(installation)
            for process in processes { await process.killAndWait() }
        }
    }

    /// One ingest process on a socket that stays open between the processes. Requests come on connections of their own, or on
    /// connections that each process has the time to end with an answer.
    @Test(arguments: [("0", ["Connection": "close"]), ("1", [:])])
    func onASocketHandedOverNoConnectionIsRefused(_ grace: String, _ headers: [String: String]) async throws {
        try await Installation.run { installation in
            let tenant = try await installation.onboardSenders("acme", Self.gateways)
            let socket = try ListeningSocket(port: installation.ingestPort)
            let settings = ["SHUTDOWN_GRACE": grace]
            var ingest = try await installation.startIngest(on: socket, settings)
            let load = Load(installation, tenant, to: installation.ingestURL, headers: headers)
            try await load.whileSending(Self.gateways) {
                for _ in 0..<6 {
                    try await load.progress(20)
                    ingest.send(SIGTERM)
                    #expect(await ingest.waitForExit() == 0, "\(ingest.output)")
                    ingest = try await installation.startIngest(on: socket, settings)
                }
                try await load.progress(20)
            }
            try await load.ledger.check(installation)
            await ingest.killAndWait()
        }
    }

    /// A request is on its way, a connection is idle, and somebody comes late: each is treated as it should be.
    @Test func whoeverIsThereWhenAProcessStopsIsAnswered() async throws {
        try await Installation.run { installation in
            let tenant = try await installation.onboard("acme")
            let ingest = try await installation.startIngest(["SHUTDOWN_GRACE": "3"])
            let request = RawRequest(key: try #require(tenant.storeKeys["T01"]))
            let port = installation.ingestPort
            try await RawConnection.to(port) { idle in
                await idle.voice.say(request.body(RawRequest.batch()))
                #expect(try await idle.hear()?.headers["connection"] == nil)
                try await RawConnection.to(port) { busy in
                    let bytes = request.body(RawRequest.batch(value: 2))
                    await busy.voice.say(bytes.dropLast(5))
                    ingest.send(SIGTERM)
                    try await becomesUnready(installation)
                    let late = try await RawConnection.exchange(request.body(RawRequest.batch(value: 3)), port: port)
                    #expect(late.map(\.status) == [200])
                    #expect(late.first?.headers["connection"] == "close")
                    await busy.voice.say(bytes.suffix(5))
                    let answers = try await busy.hearAll()
                    #expect(answers.map(\.status) == [200])
                    #expect(answers.first?.headers["connection"] == "close")
                }
                #expect(try await idle.hearAll().isEmpty, "it is closed, and nothing said on it")
            }
            #expect(await ingest.waitForExit() == 0, "\(ingest.output)")
        }
    }

    @Test func aRequestThatNeverArrivesDoesNotKeepAProcessFromStopping() async throws {
        try await Installation.run { installation in
            let tenant = try await installation.onboard("acme")
            let ingest = try await installation.startIngest()
            let request = RawRequest(key: try #require(tenant.storeKeys["T01"]))
            try await RawConnection.to(installation.ingestPort) { connection in
                await connection.voice.say(request.body(RawRequest.batch()).dropLast(5))
                let told = ContinuousClock.now
                ingest.send(SIGTERM)
                let answers = try await connection.hearAll()
                #expect(answers.map(\.status) == [503])
                #expect(answers.first?.code == "stopping")
                #expect(answers.first?.headers["retry-after"] == "1")
                #expect(answers.allSatisfy { $0.faultAsProblem == nil })
                #expect(await ingest.waitForExit() == 0, "\(ingest.output)")
                #expect(ContinuousClock.now - told < .seconds(25))
            }
        }
    }

    /// Told at once, while the public port still answers: there is no signal of it across processes.
    private func becomesUnready(_ installation: Installation) async throws {
        for _ in 0..<100 {
            if await installation.ingestReadiness == 503 { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        Issue.record("/ready does not say that the process stops")
    }
}

extension Installation {
    fileprivate func startIngest(
        on socket: ListeningSocket, _ more: [String: String]
    ) async throws -> ServerProcess {
        let process = try ServerProcess(
            "pulsegate-ingest", environment: environment.merging(more) { _, more in more }, listeningOn: socket)
        try await process.waitUntilReady(adminPort: ingestAdminPort, client)
        return process
    }
}
