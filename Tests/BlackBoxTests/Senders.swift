import Foundation
import Synchronization
import Testing

/// A tenant's gateways and sensors, and what of theirs ingest acknowledged.
struct Senders: Sendable {
    let installation: Installation
    let tenant: Installation.Tenant
    let count: Int
    let ledger = Ledger()

    /// Onboards the tenant.
    init(_ count: Int, of slug: String = "acme", in installation: Installation) async throws {
        (self.installation, self.count) = (installation, count)
        tenant = try await installation.onboardSenders(slug, count)
    }

    /// A batch and an uplink of each: from whom a process knows it takes more while the database is away.
    func introduce(from first: Int = 0) async throws {
        try await sendAll(first..<first + 2, expecting: [200, 202])
        // On a busy machine even these may have been spooled.
        try await installation.spoolIsEmpty()
    }

    @discardableResult
    func send(_ sending: Sending, expecting statuses: Set<Int>) async throws -> TestClient.Answer {
        let answer = try await sending.send(installation, tenant)
        #expect(statuses.contains(answer.status), "\(answer.status) \(answer.text)")
        if answer.status / 100 == 2 { ledger.note(sending) }
        if answer.status == 202 { #expect(answer.json["status"] as? String == "spooled", "\(answer.text)") }
        return answer
    }

    /// All senders at once, each one request after the other.
    func sendAll(_ numbers: Range<Int>, expecting statuses: Set<Int>) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for sender in 0..<count {
                group.addTask {
                    for number in numbers {
                        try await send(Sending(sender: sender, number: number), expecting: statuses)
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    /// All senders at once, each one request after the other, for as long as `body` takes; whatever happens to the database, each is
    /// stored or spooled.
    /// - Parameter pace: the time of a request at least.
    func keepSending(
        from first: Int, pace: Duration = .zero, while body: @Sendable () async throws -> Void
    ) async throws {
        let stop = Flag()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for sender in 0..<count {
                group.addTask {
                    var number = first
                    while !stop.isRaised {
                        let next = ContinuousClock.now + pace
                        try await send(Sending(sender: sender, number: number), expecting: [200, 202])
                        number += 1
                        if pace > .zero { try await Task.sleep(until: next) }
                    }
                }
            }
            defer { stop.raise() }
            try await body()
            stop.raise()
            try await group.waitForAll()
        }
    }

    /// Waits until so many more requests were acknowledged.
    func untilAcknowledged(_ more: Int) async throws {
        let goal = ledger.acknowledged + more
        try await eventually("\(more) more acknowledged") { ledger.acknowledged >= goal }
    }

    /// Waits until what arrives is stored again: each of many requests in a row, whichever connection it meets.
    func goesOnStoring() async throws {
        let run = 30
        var (number, stored) = (1_000_000, 0)
        try await eventually("\(run) requests in a row are stored") {
            let answer = try await send(Sending(sender: number % count, number: number), expecting: [200, 202])
            (number, stored) = (number + 1, answer.status == 200 ? stored + 1 : 0)
            return stored == run
        }
    }
}

final class Flag: Sendable {
    private let raised = Mutex(false)
    var isRaised: Bool { raised.withLock { $0 } }
    func raise() { raised.withLock { $0 = true } }
}

struct NotInTime: Error, CustomStringConvertible {
    let description: String
}

/// Asks until it is so: for what no signal tells across processes.
func eventually(
    _ what: String, within limit: Duration = .seconds(60), _ isSo: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !isSo() {
        guard ContinuousClock.now < deadline else { throw NotInTime(description: "not within \(limit): \(what)") }
        try await Task.sleep(for: .milliseconds(20))
    }
}

extension Installation {
    func spoolIsEmpty(within limit: Duration = .seconds(60)) async throws {
        try await eventually("the spool is empty", within: limit) {
            try await ingestMetric("pulsegate_spool_segments") == 0
        }
    }
}
