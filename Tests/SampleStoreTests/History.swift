import Postgres
import Shared
import Support

/// Plays one history: clients, compactors, readers and disturbances at once, then a quiet end. Throws what it finds wrong.
struct History {
    /// The connections that a history plays on, each pool as its process would have it.
    private struct Pools {
        let compactors: [Database]
        let system: Database
        let readers: Database
    }

    private let ground: HistoryGround
    private let pools: Pools

    /// In a database of its own.
    static func play(_ plan: HistoryPlan, _ total: Tally = Tally()) async throws {
        let tally = Tally()
        try await MigratedDatabase.withClone { clone in
            try await clone.withPool(as: .ingest) { first in
                try await clone.withPool(as: .ingest) { second in
                    try await clone.withPool(as: .system, maxConnections: 2) { system in
                        try await clone.withPool(as: .system, maxConnections: 2) { other in
                            try await clone.withPool(as: .query, maxConnections: plan.readers + 1) { query in
                                let pools = Pools(compactors: [system, other], system: system, readers: query)
                                let processes = [first, second].map { WritingProcess(database: $0) }
                                try await play(plan, tally, clone, processes, pools)
                            }
                        }
                    }
                }
            }
        }
        tally.count(.histories)
        total.add(tally)
    }

    private static func play(
        _ plan: HistoryPlan, _ tally: Tally, _ clone: MigratedDatabase, _ processes: [WritingProcess], _ pools: Pools
    ) async throws {
        for period in plan.partitionedPeriods {
            _ = try await pools.system.lookUp("SELECT make_partition('sample_chunks', \(period))" as Statement<Bool>)
        }
        try await AcceptedRequests.plant(in: clone)
        if plan.lingersBeforeCommit { try await Disturbances.plantLingeringCommits(in: clone) }
        let ground = HistoryGround(
            plan: plan, clone: clone, shops: try await Shop.plant(in: clone), processes: processes,
            model: SampleModel(seed: plan.seed), tally: tally)
        let history = History(ground: ground, pools: pools)
        // Until the last client is answered, also when a reader has found something wrong.
        let writing = processes.map { process in Task { try await process.run() } }
        defer { for process in writing { process.cancel() } }
        try await history.run()
        try await history.rest()
    }

    private func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { ground.curtain.fall() }
                try await sendAll()
            }
            for (number, database) in pools.compactors.enumerated() {
                group.addTask { try await compact(database, number) }
            }
            for number in 0..<ground.plan.readers {
                group.addTask {
                    try await Onlooker(number: number, ground: ground, database: pools.readers).run()
                }
            }
            group.addTask {
                while !ground.curtain.hasFallen { try await AcceptedRequests(ground: ground).audit() }
            }
            if ground.plan.killsConnections {
                group.addTask { try await Disturbances(ground: ground).kill() }
            }
            group.addTask { try await Disturbances(ground: ground).sweep(as: pools.system.pool) }
            try await group.waitForAll()
        }
    }

    private func sendAll() async throws {
        try await withThrowingTaskGroup(of: Void.self) { clients in
            for number in 0..<ground.plan.clients {
                clients.addTask { try await GatewayClient(number: number, ground: ground).run() }
            }
            try await clients.waitForAll()
        }
    }

    private func compact(_ database: Database, _ number: Int) async throws {
        var random = ground.plan.random(.compactor, number)
        let upkeep = StoreUpkeep(database: database)
        while !ground.curtain.hasFallen {
            do {
                ground.tally.count(.compactions, try await upkeep.passOnce())
            } catch {
                try ground.tolerate(error)
            }
            try await Task.sleep(for: .milliseconds(Int.random(in: 0...60, using: &random)))
        }
    }

    /// The quiet end: whatever is left is compacted, and nothing that readers see changes.
    private func rest() async throws {
        let accepted = AcceptedRequests(ground: ground)
        let onlooker = Onlooker(number: 0, ground: ground, database: pools.readers)
        try await accepted.checkCount()
        try await onlooker.readAll()
        try await accepted.audit()
        try await ground.clone.asSuperuser { _ = try await $0.run(StoreUpkeep.agesTheLog) }
        let upkeep = StoreUpkeep(database: pools.system)
        for _ in 0..<2 { ground.tally.count(.compactions, try await upkeep.passOnce()) }
        guard upkeep.failures == 0 else { throw ground.failure("\(upkeep.failures) compactions failed at rest") }
        for _ in 0..<2 {
            try await StoreInvariants(ground: ground).check()
            try await onlooker.readAll()
            try await accepted.audit()
            try await Disturbances(ground: ground).vacuum()
        }
    }
}
