import Foundation
import Support
import Testing

/// The database is stopped, or slow, under load: every answer is 200 or 202, and all of it is there once afterwards.
@Suite(.timeLimit(.minutes(30)))
struct OutageTests {
    @Test func aStoppedServerLosesNothing() async throws {
        try await PrivatePostgres.with { server in
            try await Installation.run(on: server.host) { installation in
                let senders = try await Senders(4, in: installation)
                let ingest = try await installation.startIngest()
                try await senders.introduce()
                try await senders.keepSending(from: 100, pace: .milliseconds(10)) {
                    try await senders.untilAcknowledged(50)
                    try await server.stop()
                    try await Task.sleep(for: FaultSettings.outage(.seconds(4))) // that long it is away
                    try await server.start()
                    try await senders.goesOnStoring()
                }
                try await installation.spoolIsEmpty(within: .seconds(600))
                try await senders.ledger.check(installation)
                await ingest.killAndWait()
            }
        }
    }

    /// Slow enough that some requests are stored late, and then so slow that they are spooled first.
    @Test func aSlowDatabaseLosesNothing() async throws {
        try await Senders.behindProxy(settings: ["SPOOL_AFTER": "0.5"]) { senders, proxy, ingest in
            try await senders.keepSending(from: 100) {
                proxy.delay(by: .milliseconds(20))
                try await senders.untilAcknowledged(50)
                proxy.delay(by: .milliseconds(400))
                try await eventually("what arrives is spooled") {
                    try await senders.installation.ingestMetric("pulsegate_spool_records") ?? 0 > 0
                }
                try await senders.untilAcknowledged(50)
                proxy.delay(by: nil)
                try await senders.goesOnStoring()
            }
            return ingest
        }
    }

    /// Told to stop while it waits for its database it does, and it is no error.
    @Test func anIngestWithoutADatabaseStopsInOrder() async throws {
        try await Installation.run { installation in
            try await StallingProxy.withServer { proxy, _ in
                proxy.cut()
                let ingest = try installation.launchIngest(try installation.databaseURLs(through: proxy))
                try await eventually("it listens, and looks for its database") {
                    (try? await installation.ingestMetric("pulsegate_database_waiters")) ?? 0 > 0
                }
                ingest.send(SIGTERM)
                #expect(await ingest.waitForExit() == 0, "\(ingest.output)")
            }
        }
    }
}
