import Foundation
import Support

/// What goes wrong in a soak, one thing after the other. Each is over, and all is well again, when it returns.
struct SoakFaults: Sendable {
    enum Fault: String, CaseIterable, Sendable {
        case killIngest, restartIngest
        case killServer, stopServer, cutConnections, holdConnections, slowConnections
        case killIngestWithoutServer

        var concernsIngest: Bool { self == .killIngest || self == .restartIngest || self == .killIngestWithoutServer }
    }

    let server: PrivatePostgres
    let proxy: StallingProxy
    let ingest: IngestKeeper
    let plan: SoakPlan

    /// - Parameter sparesIngest: whether the same process goes through all of it.
    func happen(until stop: Flag, sparesIngest: Bool, using random: inout SplitMix) async throws {
        let possible = Fault.allCases.filter { !sparesIngest || !$0.concernsIngest }
        var next: [Fault] = []
        while true {
            try await wait(.random(in: plan.peace, using: &random), until: stop)
            if next.isEmpty { next = possible.shuffled(using: &random) } // each comes before one comes again
            guard !stop.isRaised, let fault = next.popLast() else { return }
            // Mostly short; now and then as long as it may be.
            let longest = Int.random(in: 0..<8, using: &random) == 0 ? plan.longestOutage : plan.longestOutage / 10
            let duration = Int.random(in: 0...longest, using: &random)
            plan.tell("\(fault.rawValue), \(duration) ms")
            try await happen(fault, for: duration, until: stop)
        }
    }

    private func happen(_ fault: Fault, for duration: Int, until stop: Flag) async throws {
        switch fault {
        case .killIngest: try await ingest.kill()
        case .restartIngest: try await ingest.restart()
        case .killServer:
            try server.kill()
            try await wait(duration, until: stop)
            try await server.start()
        case .stopServer:
            try await server.stop()
            try await wait(duration, until: stop)
            try await server.start()
        case .killIngestWithoutServer:
            try server.kill()
            try await wait(duration, until: stop)
            try await ingest.kill()
            try await wait(duration / 4, until: stop)
            try await server.start()
        case .cutConnections, .holdConnections, .slowConnections:
            switch fault {
            case .cutConnections: proxy.cut()
            case .holdConnections: proxy.hold()
            default: proxy.delay(by: .milliseconds(100))
            }
            try await wait(duration, until: stop)
            // What was held back is lost: those connections must not go on.
            if fault == .holdConnections { proxy.cut() }
            proxy.mend()
        }
    }

    /// For so many milliseconds, or until the end is near.
    private func wait(_ milliseconds: Int, until stop: Flag) async throws {
        let end = ContinuousClock.now + .milliseconds(milliseconds)
        while !stop.isRaised, ContinuousClock.now < end { try await Task.sleep(for: .milliseconds(20)) }
    }
}
