import Foundation
import Postgres
import Support
import Testing

/// Killed while the spool drains: what was stored and still lies there is stored once.
@Suite(.timeLimit(.minutes(60)))
struct SpoolReplayTests {
    /// What a process leaves that is killed between its last commit and the removal of the segments.
    @Test func segmentsThatWereStoredButNotRemovedAddNothing() async throws {
        try await Senders.behindProxy { senders, proxy, ingest in
            let installation = senders.installation
            proxy.cut()
            try await senders.sendAll(100..<130, expecting: [202])
            for value in 0..<5 { #expect(try await senders.sendOther("test.now", value: value).status == 202) }
            let kept = try installation.segments().map { ($0, try Data(contentsOf: $0)) }
            proxy.mend()
            try await installation.spoolIsEmpty()
            #expect(try installation.segments().isEmpty)
            await ingest.killAndWait()
            for (file, content) in kept { try content.write(to: file) }
            let next = try await installation.startIngest(through: proxy)
            try await installation.spoolIsEmpty()
            #expect(try installation.segments().isEmpty)
            for (kind, duplicates) in [
                ("samples", senders.count * 15 * Sending.rows + 5), ("uplinks", senders.count * 15),
            ] {
                let name = "pulsegate_spool_drained_\(kind)_total"
                #expect(try await installation.ingestMetric("\(name){outcome=\"duplicate\"}") == Double(duplicates))
                #expect(try await installation.ingestMetric("\(name){outcome=\"stored\"}") == 0)
            }
            let values: [Double] = try await installation.rows(
                "SELECT value FROM samples JOIN series s ON s.id = series_id WHERE metric = 'test.now' ORDER BY value")
            #expect(values == [0, 1, 2, 3, 4], "what has no key of its own has one in the spool")
            return next
        }
    }

    /// Killed at one message to the database after the other, wherever that is in the drain.
    @Test func aProcessKilledWhileItDrainsNeitherLosesNorDoubles() async throws {
        var random = SplitMix(state: FaultSettings.seed)
        let pieces = (0..<FaultSettings.rounds(4)).map { _ in Int.random(in: 15...60, using: &random) }
        try await Senders.behindProxy { senders, proxy, ingest in
            var ingest = ingest
            var interrupted = 0
            for (round, pieces) in pieces.enumerated() {
                let first = (round + 1) * 1_000
                try await senders.introduce(from: first)
                proxy.cut()
                try await senders.sendAll(first + 100..<first + 200, expecting: [202])
                await ingest.killAndWait()
                proxy.mend()
                if try await senders.installation.isKilledWhileItDrains(after: pieces, proxy) { interrupted += 1 }
                ingest = try await senders.installation.startIngest(through: proxy)
                try await senders.installation.spoolIsEmpty()
                if round % 10 == 0 { try await senders.ledger.check(senders.installation) }
            }
            #expect(interrupted * 2 >= pieces.count, "\(interrupted) of \(pieces.count) kills left something to drain")
            return ingest
        }
    }
}

extension Installation {
    /// Starts an ingest that is killed when it sent so many messages to the database.
    /// - Returns: whether the spool was not empty yet.
    fileprivate func isKilledWhileItDrains(after pieces: Int, _ proxy: StallingProxy) async throws -> Bool {
        let ingest = try launchIngest(try databaseURLs(through: proxy))
        proxy.afterPieces(pieces) { ingest.send(SIGKILL) }
        try await eventually("drained or killed") {
            if ingest.hasEnded { return true }
            guard try segments().isEmpty else { return false }
            ingest.send(SIGKILL)
            return true
        }
        #expect(await ingest.waitForExit() == SIGKILL, "\(ingest.output)")
        proxy.afterPieces(.max) {}
        return try !segments().isEmpty
    }
}
