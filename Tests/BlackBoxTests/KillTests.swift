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
            let tenant = try await installation.onboardSenders("acme", Self.gateways)
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
