import Foundation
import Synchronization
import Testing

/// Senders that go on sending until they are told to stop. What is answered with 2xx goes into the ledger; a 503 is sent
/// again, as gateways do; nothing else may come back, and no connection may break.
final class Load: Sendable {
    let ledger = Ledger()
    private let isOver = Mutex(false)
    private let complaints = Mutex(0)
    private let installation: Installation
    private let tenant: Installation.Tenant
    private let url: String
    private let headers: [String: String]

    /// - Parameter headers: of every request; `Connection: close` makes each one come on a connection of its own.
    init(_ installation: Installation, _ tenant: Installation.Tenant, to url: String, headers: [String: String] = [:]) {
        self.installation = installation
        self.tenant = tenant
        self.url = url
        self.headers = headers
    }

    /// Runs `body` while so many senders send.
    func whileSending(_ senders: Int, _ body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for sender in 0..<senders { group.addTask { try await self.send(sender) } }
            do {
                try await body()
            } catch {
                stop()
                throw error
            }
            stop()
            try await group.waitForAll()
        }
    }

    /// Waits until so many more requests were acknowledged.
    func progress(_ count: Int) async throws {
        let goal = ledger.acknowledged + count
        for _ in 0..<600 where ledger.acknowledged < goal { try await Task.sleep(for: .milliseconds(50)) }
        #expect(ledger.acknowledged >= goal, "the senders get on")
    }

    /// Whether anything came back that gateways should not see.
    var hasComplained: Bool { complaints.withLock { $0 > 0 } }

    private func complain() { complaints.withLock { $0 += 1 } }

    private func stop() { isOver.withLock { $0 = true } }

    private func send(_ sender: Int) async throws {
        var number = 0
        while !isOver.withLock({ $0 }) {
            let sending = Sending(sender: sender, number: number)
            let answer = try await sending.send(installation, tenant, to: url, headers: headers)
            switch answer.status {
            case 200, 202:
                ledger.note(sending)
                number += 1
            case 503 where answer.header("Retry-After") != nil: break
            default:
                complain()
                Issue.record("\(answer.status) \(answer.text)")
            }
        }
    }
}
