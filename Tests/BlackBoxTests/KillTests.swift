import Foundation
import Postgres
import Support
import Synchronization
import Testing

/// kill -9 at random moments under load: what was answered with 2xx is there, once.
@Suite(.serialized)
struct KillTests {
    private static let rounds = 8
    private static let gateways = 6

    @Test func everyAcknowledgedRowIsThereOnce() async throws {
        try await Installation.run { installation in
            let tenant = try await installation.onboard("acme", stores: Self.gateways)
            for sensor in 0..<Self.gateways {
                try await installation.importDevice(Sensor.deviceEUI(sensor), of: "acme")
            }
            let ledger = Ledger()
            let query = try await installation.startQuery()
            let reader = try await Reader(installation, tenant)
            try await withThrowingTaskGroup(of: Void.self) { group in
                let stop = Flag()
                group.addTask { try await reader.read(until: stop) }
                for round in 0..<Self.rounds {
                    try await killDuringRound(round, installation, tenant, ledger)
                }
                stop.raise()
                try await group.waitForAll()
            }
            #expect(reader.answers.count > 0, "the query process went on answering")
            await query.killAndWait()
            try await ledger.check(installation)
        }
    }

    /// The query process writes sessions and nothing else; killed under load it comes back with all of it there.
    @Test func queryIsKilledUnderLoad() async throws {
        try await Installation.run { installation in
            let tenant = try await installation.onboard("acme")
            for _ in 0..<3 {
                let query = try await installation.startQuery()
                let signedIn = Tally()
                await withTaskGroup(of: Void.self) { group in
                    for _ in 0..<4 {
                        group.addTask {
                            while (try? await installation.signIn(tenant)) != nil {
                                if signedIn.increment() >= 6 { query.send(SIGKILL) }
                            }
                        }
                    }
                }
                #expect(await query.waitForExit() == SIGKILL)
                let sessions: [Int64] = try await installation.rows("SELECT count(*) FROM sessions")
                let audited: [Int64] = try await installation.rows(
                    "SELECT count(*) FROM audit_logs WHERE action = 'session.created'")
                #expect(sessions[0] >= Int64(signedIn.count), "each answered sign-in is there")
                #expect(sessions == audited, "with its audit row, or neither")
            }
        }
    }

    /// Senders run until the process is killed, after a random number of acknowledgements; then it starts again and what was
    /// not answered is sent again.
    private func killDuringRound(
        _ round: Int, _ installation: Installation, _ tenant: Installation.Tenant, _ ledger: Ledger
    ) async throws {
        let ingest = try await installation.startIngest(["COMPACTION_INTERVAL": "0.05"])
        let killAfter = ledger.acknowledged + Int.random(in: 1...150)
        let unanswered = await withTaskGroup(of: [Sending].self) { group in
            for sender in 0..<Self.gateways {
                group.addTask {
                    await send(sender, round, installation, tenant, ledger) { acknowledged in
                        if acknowledged >= killAfter { ingest.send(SIGKILL) }
                    }
                }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
        #expect(await ingest.waitForExit() == SIGKILL)
        let again = try await installation.startIngest(["COMPACTION_INTERVAL": "0.05"])
        for sending in unanswered {
            let answer = try await sending.send(installation, tenant)
            #expect(answer.status == 200, "\(answer.text)")
            ledger.note(sending)
        }
        await again.killAndWait()
    }

    /// Alternates batches and uplinks until one is not answered, and returns that one.
    private func send(
        _ sender: Int, _ round: Int, _ installation: Installation, _ tenant: Installation.Tenant, _ ledger: Ledger,
        acknowledged: @Sendable (Int) -> Void
    ) async -> [Sending] {
        for number in 0... {
            let sending = Sending(sender: sender, number: round * 100_000 + number)
            guard let answer = try? await sending.send(installation, tenant), answer.status == 200 else {
                return [sending]
            }
            acknowledged(ledger.note(sending))
        }
        return []
    }
}

/// A request that can be sent again unchanged: an even number is a batch of ten rows, an odd one an uplink.
private struct Sending: Hashable {
    static let rows = 10
    static let start = Int64(Date().timeIntervalSince1970) * 1000 - 86_400_000

    let sender: Int
    let number: Int

    var isBatch: Bool { number % 2 == 0 }

    /// Each row's time, epoch milliseconds: its own in all the test.
    var times: [Int64] { (0..<Self.rows).map { Self.start + Int64(number * Self.rows + $0) } }

    func send(_ installation: Installation, _ tenant: Installation.Tenant) async throws -> TestClient.Answer {
        if isBatch {
            let rows = times.map { ["name": "test.row", "value": Double($0 % 1000), "ts": $0] as [String: Any] }
            return try await installation.client.post(
                installation.ingestURL + "/v1/metrics/batch", json: ["metrics": rows],
                headers: ["Authorization": "Bearer \(tenant.storeKeys[String(format: "T%02d", sender + 1)] ?? "")"])
        }
        let uplink: [String: Any] = [
            "device_eui": Sensor.deviceEUI(sender), "fcnt": number, "dev_addr": "26011bda",
            "received_at": Self.start + Int64(number), "payload": ["count": number],
        ]
        return try await installation.client.postSigned(
            installation.ingestURL + "/v1/webhooks/" + tenant.integrationID, json: uplink, secret: tenant.secret)
    }
}

private enum Sensor {
    static func deviceEUI(_ number: Int) -> String { String(format: "70b3d57ed000%04x", number) }
}

/// What was answered with 2xx.
private final class Ledger: Sendable {
    private let sendings = Mutex<[Sending]>([])

    var acknowledged: Int { sendings.withLock { $0.count } }

    @discardableResult
    func note(_ sending: Sending) -> Int {
        sendings.withLock { sendings in
            sendings.append(sending)
            return sendings.count
        }
    }

    func check(_ installation: Installation) async throws {
        let sendings = sendings.withLock { $0 }
        #expect(Set(sendings).count == sendings.count, "the test sends each once")
        let batches = sendings.filter(\.isBatch)
        let rows: [Int64] = try await installation.rows(
            """
            SELECT p.ts FROM samples p JOIN series s ON s.tenant_id = p.tenant_id AND s.id = p.series_id
             WHERE s.metric = 'test.row' AND p.value = (p.ts / 1000 % 1000)
            """)
        let expected = batches.flatMap(\.times).map { $0 * 1000 }
        #expect(rows.sorted() == expected.sorted(), "\(rows.count) rows of \(expected.count) acknowledged")
        let raw: [Int64] = try await installation.rows(
            """
            SELECT coalesce((SELECT sum(samples) FROM sample_chunks c JOIN series s USING (tenant_id)
                              WHERE s.id = c.series_id AND s.metric = 'test.row'), 0)::int8
                   + (SELECT count(*) FROM sample_log l, unnest(l.series) AS u (id) JOIN series s ON s.id = u.id
                       WHERE s.metric = 'test.row')
            """)
        #expect(raw == [Int64(expected.count)], "and none is kept twice behind the view")
        let uplinks = sendings.filter { !$0.isBatch }
        let stored: [String] = try await installation.rows(
            """
            SELECT d.device_eui || ' ' || u.fcnt FROM uplinks u JOIN devices d USING (tenant_id, owner_id)
            """)
        #expect(stored.sorted() == uplinks.map { "\(Sensor.deviceEUI($0.sender)) \($0.number)" }.sorted())
    }
}

private final class Tally: Sendable {
    private let value = Mutex(0)
    var count: Int { value.withLock { $0 } }

    @discardableResult
    func increment() -> Int {
        value.withLock { value in
            value += 1
            return value
        }
    }
}

private final class Flag: Sendable {
    private let raised = Mutex(false)
    var isRaised: Bool { raised.withLock { $0 } }
    func raise() { raised.withLock { $0 = true } }
}

/// Somebody who looks at a dashboard all the while.
private final class Reader: Sendable {
    let answers = Tally()
    private let installation: Installation
    private let token: String

    init(_ installation: Installation, _ tenant: Installation.Tenant) async throws {
        self.installation = installation
        token = try await installation.signIn(tenant)
    }

    func read(until stop: Flag) async throws {
        while !stop.isRaised {
            let answer = try await installation.client.send(
                .get, installation.queryURL + "/api/v1/series/query?metric=test.row&max_points=100",
                headers: ["Authorization": "Bearer \(token)"])
            #expect(answer.status == 200, "\(answer.text)")
            answers.increment()
        }
    }
}
