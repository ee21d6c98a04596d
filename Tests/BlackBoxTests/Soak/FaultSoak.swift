import Foundation
import Postgres
import Support
import Synchronization

/// Mixed load on a real ingest, and everything that may happen to it and its database meanwhile. In the first half of the rounds ingest
/// is killed and restarted too; one process goes through the second half.
struct FaultSoak: Sendable {
    private static let tenants = ["acme", "rival"]
    private static let sendersOfATenant = 3
    /// What compaction leaves of a dozen stores and sensors: chunks of a few hundred samples a series are worth making.
    private static let requestsInLog: Int64 = 6_000

    let plan: SoakPlan
    private let installation: Installation
    private let proxy: StallingProxy
    private let ingest: IngestKeeper
    private let faults: SoakFaults
    private let senders: [SoakSender]
    private let ledger: SoakLedger
    private let figures = FigureBook()

    static func run(_ plan: SoakPlan) async throws {
        plan.tell("\(plan.rounds) rounds")
        try await PrivatePostgres.with { server in
            try await Installation.run(on: server.host) { installation in
                let proxy = try StallingProxy(to: UInt16(server.port))
                defer { proxy.stop() }
                let temporary = FileManager.default.temporaryDirectory.appendingPathComponent(
                    "soak-\(UUID().uuidString)")
                try FileManager.default.createDirectory(at: temporary, withIntermediateDirectories: false)
                defer { try? FileManager.default.removeItem(at: temporary) }
                let ingest = try await IngestKeeper(
                    installation,
                    installation.databaseURLs(through: proxy).merging(["TMPDIR": temporary.path]) { $1 })
                let soak = try await FaultSoak(plan, server, installation, proxy, ingest)
                try await soak.play()
                await ingest.end()
            }
        }
    }

    private init(
        _ plan: SoakPlan, _ server: PrivatePostgres, _ installation: Installation, _ proxy: StallingProxy,
        _ ingest: IngestKeeper
    ) async throws {
        (self.plan, self.installation, self.proxy, self.ingest) = (plan, installation, proxy, ingest)
        faults = SoakFaults(server: server, proxy: proxy, ingest: ingest, plan: plan)
        let ledger = SoakLedger()
        self.ledger = ledger
        var senders: [SoakSender] = []
        for slug in Self.tenants {
            let tenant = try await installation.onboardSenders(slug, Self.sendersOfATenant)
            senders += (0..<Self.sendersOfATenant).map { place in
                SoakSender(
                    installation: installation, tenant: tenant, place: place, id: senders.count + place, ledger: ledger,
                    pace: plan.pace)
            }
        }
        self.senders = senders
    }

    private func play() async throws {
        for sender in senders { try await sender.introduce() }
        for round in 0..<plan.rounds {
            try await play(round, until: .now + plan.roundLength)
            try await check()
            plan.tell("round \(round + 1): \(ledger.text); \(figures.last?.text ?? "")")
        }
        guard ledger[.stored] > 0, ledger[.spooled] > 0, ledger[.duplicate] > 0, ledger[.forged] > 0 else {
            throw SoakLedger.Failure(description: "too little happened: \(ledger.text)")
        }
        guard let trend = SoakTrend(of: figures.all) else { return }
        plan.say("\(ledger.text); the last process: \(trend.text)")
        guard !plan.isLong || trend.isFlat else { throw SoakLedger.Failure(description: "ingest grows: \(trend.text)") }
    }

    private func play(_ round: Int, until end: ContinuousClock.Instant) async throws {
        let isOver = Flag()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await watch(until: isOver) }
            group.addTask {
                try await load(round, until: end)
                isOver.raise()
            }
            for try await _ in group {} // the first that fails ends the others
        }
    }

    /// Until the last sender has its answer.
    private func load(_ round: Int, until end: ContinuousClock.Instant) async throws {
        let (stop, seed) = (Flag(), plan.seed &+ UInt64(round))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for sender in senders { group.addTask { try await sender.run(until: stop, seed: seed) } }
            group.addTask {
                var random = SplitMix(state: seed)
                try await faults.happen(until: stop, sparesIngest: round * 2 >= plan.rounds, using: &random)
            }
            group.addTask {
                try await Task.sleep(until: end)
                stop.raise()
            }
            for try await _ in group {}
        }
    }

    private func watch(until isOver: Flag) async throws {
        while !isOver.isRaised {
            if let now = try await ingest.figures() { figures.note(now) }
            try await Task.sleep(for: .milliseconds(500))
        }
    }

    /// Nothing is under way but what lies in the spool.
    private func check() async throws {
        try await ingest.waitUntilReady()
        try await installation.spoolIsEmpty(within: .seconds(600))
        guard try installation.segments().isEmpty else {
            throw SoakLedger.Failure(description: "files stay in the spool")
        }
        try await ledger.check(installation)
        var log: Int64 = 0
        try await eventually("compaction keeps pace") {
            log = try await installation.rows("SELECT count(*) FROM sample_log")[0]
            return log <= Self.requestsInLog
        }
        plan.tell("\(log) requests in the log")
    }
}

/// Figures in the order of time.
private final class FigureBook: Sendable {
    private let figures = Mutex<[SoakFigures]>([])
    var all: [SoakFigures] { figures.withLock { $0 } }
    var last: SoakFigures? { figures.withLock { $0.last } }
    func note(_ one: SoakFigures) { figures.withLock { $0.append(one) } }
}
