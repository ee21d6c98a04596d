import Foundation
import Support
import Testing

/// The database is away: what was answered 202 is stored once when it is back, whatever happens in between.
@Suite(.serialized)
struct SpoolTests {
    @Test func whatArrivesWhileTheDatabaseIsGoneIsStoredOnce() async throws {
        try await Senders.behindProxy { senders, proxy, ingest in
            let installation = senders.installation
            for round in 1...3 {
                proxy.cut()
                try await senders.sendAll(round * 100..<round * 100 + 20, expecting: [202])
                #expect(
                    await installation.ingestReadiness == 200, "it can still be sent to")
                proxy.mend()
                try await installation.spoolIsEmpty()
            }
            #expect(try await installation.ingestMetric("pulsegate_spool_damaged_total") == 0)
            return ingest
        }
    }

    /// Killed with a spool, and again while it drains: what it kept is neither lost nor stored twice.
    @Test func aKilledProcessStoresWhatItKept() async throws {
        try await Senders.behindProxy { senders, proxy, ingest in
            proxy.cut()
            try await senders.sendAll(100..<160, expecting: [202])
            await ingest.killAndWait()
            proxy.mend()
            for _ in 0..<3 { // each is killed while it drains, or soon after
                let next = try await senders.installation.startIngest(through: proxy)
                await next.killAndWait()
            }
            return try await senders.installation.startIngest(through: proxy)
        }
    }

    /// A database that takes everything and says nothing: the sender has its answer all the same.
    @Test func aSilentDatabaseIsTakenForAway() async throws {
        try await Senders.behindProxy(settings: ["SPOOL_AFTER": "0.3"]) { senders, proxy, ingest in
            proxy.hold()
            try await senders.sendAll(100..<110, expecting: [202])
            proxy.cut()
            return ingest
        }
    }

    /// Nobody else sends, and the database would have to be asked for a series first.
    @Test func aSilentDatabaseIsNotWaitedForByLookUps() async throws {
        try await Senders.behindProxy(settings: ["SPOOL_AFTER": "0.3"]) { senders, proxy, ingest in
            proxy.hold()
            let answer = try await senders.sendOther("test.unseen")
            #expect(answer.status == 202, "\(answer.text)")
            proxy.cut()
            return ingest
        }
    }

    @Test func aFullSpoolIsSaidSoAndLosesNothing() async throws {
        try await Senders.behindProxy(settings: ["SPOOL_MAX_BYTES": "\(1 << 20)"]) { senders, proxy, ingest in
            proxy.cut()
            let padding = String(repeating: "x", count: 400_000)
            for expected in [202, 202, 503] {
                let answer = try await senders.sendOther("test.other", padding: padding)
                #expect(answer.status == expected, "\(answer.text)")
                if expected == 503 {
                    #expect(answer.json["code"] as? String == "spool_full")
                    #expect(answer.header("Retry-After") != nil)
                }
            }
            try await senders.sendAll(100..<102, expecting: [202])
            return ingest
        }
    }

    /// The server itself is killed under load and starts again, a few times over: no answer is anything but 200 or 202.
    @Test func aKilledServerLosesNothing() async throws {
        try await PrivatePostgres.with { server in
            try await Installation.run(on: server.host) { installation in
                let senders = try await Senders(4, in: installation)
                let ingest = try await installation.startIngest()
                try await senders.introduce()
                for round in 1...3 {
                    try await senders.keepSending(from: round * 10_000) {
                        try await senders.untilAcknowledged(Int.random(in: 10...80))
                        try server.kill()
                        try await senders.untilAcknowledged(100)
                    }
                    try await server.start()
                    try await installation.spoolIsEmpty()
                }
                try await senders.ledger.check(installation)
                await ingest.killAndWait()
            }
        }
    }

    /// A flipped bit costs its record; a torn end, an empty file and foreign files cost nothing; and nothing keeps ingest from starting.
    @Test func damageCostsWhatItTouches() async throws {
        try await Senders.behindProxy { senders, proxy, ingest in
            let installation = senders.installation
            proxy.cut()
            try await senders.sendAll(98..<100, expecting: [202]) // after which it knows that the database is away
            #expect(try await senders.sendOther("test.victim").status == 202)
            try await senders.sendAll(100..<120, expecting: [202])
            await ingest.killAndWait()
            let segment = try #require(
                try installation.segments().first {
                    try Data(contentsOf: $0).range(of: Data("test.victim".utf8)) != nil
                })
            var bytes = try Data(contentsOf: segment)
            let place = try #require(bytes.range(of: Data("test.victim".utf8)))
            bytes[place.lowerBound] ^= 1
            bytes += Data(repeating: 0, count: 100)
            try bytes.write(to: segment)
            for name in [
                "99999999999999999999-0000000000000001.segment", "00000000000000000009-00000000000000ff.segment",
                "notes.txt",
            ] {
                try Data().write(to: installation.spoolFolder.appendingPathComponent(name))
            }
            proxy.mend()
            let next = try await installation.startIngest(through: proxy)
            try await installation.spoolIsEmpty()
            #expect(try await installation.ingestMetric("pulsegate_spool_damaged_total") == 2)
            let damaged = try FileManager.default.contentsOfDirectory(
                atPath: installation.spoolFolder.appendingPathComponent("damaged").path)
            #expect(damaged.count == 1, "the segment with the record, and with what follows the last one")
            return next
        }
    }
}
