import Foundation
import Support
import Testing

/// The database is away: what was answered 202 is stored once when it is back, whatever happens in between.
@Suite(.serialized)
struct SpoolTests {
    static let gateways = 4

    /// An installation behind a proxy, with senders that ingest knows.
    func withKnownSenders(
        _ settings: [String: String] = [:],
        _ body:
            @Sendable (Installation, Installation.Tenant, StallingProxy, ServerProcess, Ledger) async throws ->
            ServerProcess
    ) async throws {
        try await Installation.run { installation in
            let tenant = try await installation.onboardSenders("acme", Self.gateways)
            try await StallingProxy.withServer { proxy, host in
                let settings = try installation.databaseURLs(through: host).merging(settings) { _, own in own }
                let ingest = try await installation.startIngest(settings)
                let ledger = Ledger()
                try await introduceSenders(installation, tenant, ledger)
                let last = try await body(installation, tenant, proxy, ingest, ledger)
                proxy.mend()
                try await drained(installation)
                try await ledger.check(installation)
                await last.killAndWait()
            }
        }
    }

    private func send(
        _ sender: Int, _ number: Int, _ installation: Installation, _ tenant: Installation.Tenant, _ ledger: Ledger,
        expecting status: Int
    ) async throws {
        let sending = Sending(sender: sender, number: number)
        let answer = try await sending.send(installation, tenant)
        #expect(answer.status == status, "\(answer.text)")
        if answer.status / 100 == 2 { ledger.note(sending) }
        if answer.status == 202 { #expect(answer.json["status"] as? String == "spooled", "\(answer.text)") }
    }

    /// A batch and an uplink of each, so that ingest knows them.
    private func introduceSenders(
        _ installation: Installation, _ tenant: Installation.Tenant, _ ledger: Ledger
    ) async throws {
        for sender in 0..<Self.gateways {
            for number in 0..<2 { try await send(sender, number, installation, tenant, ledger, expecting: 200) }
        }
    }

    /// All senders at once, an even number of requests each.
    func sendAll(
        _ numbers: Range<Int>, _ installation: Installation, _ tenant: Installation.Tenant, _ ledger: Ledger
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for sender in 0..<Self.gateways {
                group.addTask {
                    for number in numbers {
                        try await send(sender, number, installation, tenant, ledger, expecting: 202)
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    /// Asks until the spool is empty; there is no signal of it across processes.
    func drained(_ installation: Installation) async throws {
        for _ in 0..<600 {
            if try await installation.ingestMetric("pulsegate_spool_segments") == 0 { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        Issue.record("the spool is not empty after a minute")
    }

    @Test func whatArrivesWhileTheDatabaseIsGoneIsStoredOnce() async throws {
        try await withKnownSenders { installation, tenant, proxy, ingest, ledger in
            for round in 1...3 {
                proxy.cut()
                try await sendAll(round * 100..<round * 100 + 20, installation, tenant, ledger)
                #expect(
                    await installation.client.status(of: installation.ingestReadyURL) == 200, "it can still be sent to")
                proxy.mend()
                try await drained(installation)
            }
            #expect(try await installation.ingestMetric("pulsegate_spool_damaged_total") == 0)
            return ingest
        }
    }

    /// Killed with a spool, and again while it drains: what it kept is neither lost nor stored twice.
    @Test func aKilledProcessStoresWhatItKept() async throws {
        try await withKnownSenders { installation, tenant, proxy, ingest, ledger in
            proxy.cut()
            try await sendAll(100..<160, installation, tenant, ledger)
            await ingest.killAndWait()
            proxy.mend()
            let environment = try installation.databaseURLs(through: "127.0.0.1:\(proxy.port)")
            for _ in 0..<3 { // each is killed while it drains, or soon after
                let next = try await installation.startIngest(environment)
                await next.killAndWait()
            }
            return try await installation.startIngest(environment)
        }
    }

    /// A database that takes everything and says nothing: the sender has its answer all the same.
    @Test func aSilentDatabaseIsTakenForAway() async throws {
        try await withKnownSenders(["SPOOL_AFTER": "0.3"]) { installation, tenant, proxy, ingest, ledger in
            proxy.hold()
            try await sendAll(100..<110, installation, tenant, ledger)
            proxy.cut()
            return ingest
        }
    }

    @Test func aFullSpoolIsSaidSoAndLosesNothing() async throws {
        try await withKnownSenders(["SPOOL_MAX_BYTES": "\(1 << 20)"]) { installation, tenant, proxy, ingest, ledger in
            proxy.cut()
            let padding = String(repeating: "x", count: 400_000)
            let key = try #require(tenant.storeKeys["T01"])
            for expected in [202, 202, 503] {
                let answer = try await installation.client.post(
                    installation.ingestURL + "/v1/metrics/batch",
                    json: ["metrics": [["name": "test.other", "value": 1]], "padding": padding],
                    headers: ["Authorization": "Bearer \(key)"])
                #expect(answer.status == expected, "\(answer.text)")
                if expected == 503 {
                    #expect(answer.json["code"] as? String == "spool_full")
                    #expect(answer.header("Retry-After") != nil)
                }
            }
            try await sendAll(100..<102, installation, tenant, ledger)
            return ingest
        }
    }

    /// The server itself is killed under load and starts again, a few times over: no answer is anything but 200 or 202.
    @Test func aKilledServerLosesNothing() async throws {
        try await PrivatePostgres.with { server in
            try await Installation.run(on: server.host) { installation in
                let tenant = try await installation.onboardSenders("acme", Self.gateways)
                let ingest = try await installation.startIngest()
                let ledger = Ledger()
                try await introduceSenders(installation, tenant, ledger)
                for round in 1...3 {
                    let goal = ledger.acknowledged + Int.random(in: 10...80)
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for sender in 0..<Self.gateways {
                            group.addTask {
                                for number in round * 1_000..<round * 1_000 + 60 {
                                    let sending = Sending(sender: sender, number: number)
                                    let answer = try await sending.send(installation, tenant)
                                    #expect(answer.status == 200 || answer.status == 202, "\(answer.text)")
                                    if ledger.note(sending) == goal { try server.kill() }
                                }
                            }
                        }
                        try await group.waitForAll()
                    }
                    try await server.start()
                    try await drained(installation)
                }
                try await ledger.check(installation)
                await ingest.killAndWait()
            }
        }
    }

    /// A flipped bit costs its record; a torn end, an empty file and foreign files cost nothing; and nothing keeps ingest from starting.
    @Test func damageCostsWhatItTouches() async throws {
        try await withKnownSenders { installation, tenant, proxy, ingest, ledger in
            proxy.cut()
            let key = try #require(tenant.storeKeys["T01"])
            let victim = try await installation.client.post(
                installation.ingestURL + "/v1/metrics/batch", json: ["metrics": [["name": "test.victim", "value": 1]]],
                headers: ["Authorization": "Bearer \(key)"])
            #expect(victim.status == 202)
            try await sendAll(100..<120, installation, tenant, ledger)
            await ingest.killAndWait()
            let names = try FileManager.default.contentsOfDirectory(atPath: installation.spoolFolder.path)
            let segment = installation.spoolFolder.appendingPathComponent(
                try #require(names.first { $0.hasSuffix(".segment") }))
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
            let next = try await installation.startIngest(
                try installation.databaseURLs(through: "127.0.0.1:\(proxy.port)"))
            try await drained(installation)
            #expect(try await installation.ingestMetric("pulsegate_spool_damaged_total") == 2)
            let damaged = try FileManager.default.contentsOfDirectory(
                atPath: installation.spoolFolder.appendingPathComponent("damaged").path)
            #expect(damaged.count == 1, "the segment with the record, and with what follows the last one")
            return next
        }
    }
}
