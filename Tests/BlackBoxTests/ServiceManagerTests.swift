import Foundation
import Testing

/// What the processes tell systemd, or whoever else gives them a NOTIFY_SOCKET.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct ServiceManagerTests {
    @Test(arguments: ["/tmp/pulsegate-notify-", "@pulsegate-notify-"])
    func ingestSaysWhenItServesAndWhenItStops(_ prefix: String) async throws {
        try await Installation.run { installation in
            let board = try NoticeBoard(prefix + UUID().uuidString)
            let ingest = try ServerProcess(
                "pulsegate-ingest",
                environment: installation.environment.merging(["NOTIFY_SOCKET": board.name]) { _, new in new })
            #expect(await board.next() == "READY=1", "\(ingest.output)")
            #expect(await installation.client.status(of: installation.ingestURL + "/health-check") == 200)
            #expect(await installation.ingestReadiness == 200)
            ingest.send(SIGTERM)
            #expect(await board.next() == "STOPPING=1")
            #expect(await ingest.waitForExit() == 0)
        }
    }

    @Test func aDescriptorThatIsNoListeningSocketIsAFaultOfTheSettings() async throws {
        let query = try ServerProcess(
            "pulsegate-query", environment: [:], after: "exec 3</dev/null; export LISTEN_PID=$$ LISTEN_FDS=1")
        #expect(await query.waitForExit() == 78)
        #expect(query.output.contains("LISTEN_FDS hands over descriptor 3, no listening TCP socket"))
    }

    @Test func queryIsHeardOfAsOftenAsTheWatchdogDemands() async throws {
        try await Installation.run { installation in
            let board = try NoticeBoard("@pulsegate-notify-" + UUID().uuidString)
            let query = try ServerProcess(
                "pulsegate-query",
                environment: installation.environment.merging(
                    ["NOTIFY_SOCKET": board.name, "WATCHDOG_USEC": "200000"]) { _, new in new })
            var heard: [String] = []
            while heard.count < 5, let notice = await board.next() { heard.append(notice) }
            #expect(heard.count { $0 == "WATCHDOG=1" } >= 4)
            while !heard.contains("READY=1"), let notice = await board.next() { heard.append(notice) }
            #expect(await installation.client.status(of: installation.queryURL + "/health-check") == 200)
            query.send(SIGTERM)
            while heard.last != "STOPPING=1", let notice = await board.next() { heard.append(notice) }
            #expect(heard.last == "STOPPING=1")
            #expect(await query.waitForExit() == 0)
        }
    }
}
