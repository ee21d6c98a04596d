import Foundation
import Support
import Testing

/// SIGTERM with requests under way: each is answered, and the process ends well.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct ShutdownTests {
    /// Requests that wait for a database which says nothing go to the spool before the process ends.
    @Test func whatWaitsForASilentDatabaseIsSpooled() async throws {
        try await Senders.behindProxy(settings: ["SPOOL_AFTER": "1"]) { senders, proxy, ingest in
            let installation = senders.installation
            proxy.hold()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for sender in 0..<senders.count {
                    for number in 100..<102 {
                        group.addTask {
                            try await senders.send(Sending(sender: sender, number: number), expecting: [202])
                        }
                    }
                }
                try await eventually("all wait") {
                    let waiting = try await installation.ingestMetric("pulsegate_http_requests_in_flight")
                    return waiting == Double(2 * senders.count)
                }
                ingest.send(SIGTERM)
                try await group.waitForAll()
            }
            proxy.cut() // until it is, the process waits for the database's last word, 20 s at most
            #expect(await ingest.waitForExit() == 0, "\(ingest.output)")
            proxy.mend()
            return try await installation.startIngest(through: proxy)
        }
    }
}
