import ServiceLifecycle
import Shared
import Synchronization
import Testing

@testable import Ingest

struct BatcherTests {
    private struct Refused: Error, Equatable { let request: Int }

    private struct Numbered: Groupable, ExpressibleByIntegerLiteral {
        let number: Int
        var tenantID = TenantID(1)
        var cost = 1
        var locks: [Int64] = []

        init(integerLiteral number: Int) { self.number = number }

        init(_ number: Int, cost: Int = 1, lock: Int64? = nil) {
            (self.number, self.cost, locks) = (number, cost, lock.map { [$0] } ?? [])
        }
    }

    private typealias NumberBatcher = Batcher<Numbered, Int>

    /// Holds up a writer: the test waits until it is there, and lets it go on.
    private struct Gate: Sendable {
        private let arrivals = AsyncStream.makeStream(of: Void.self)
        private let releases = AsyncStream.makeStream(of: Void.self)

        func pass() async {
            arrivals.continuation.yield()
            for await _ in releases.stream { break }
        }

        func arrival() async {
            for await _ in arrivals.stream { break }
        }

        func open() { releases.continuation.yield() }
    }

    /// Runs a batcher for as long as `body` does.
    private func with<Value: Sendable>(
        _ batcher: NumberBatcher, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask {
                try await batcher.run()
                return nil
            }
            group.addTask { try await body() }
            let value = try await group.next() ?? nil
            group.cancelAll()
            return try #require(value)
        }
    }

    /// A writer that does not come back keeps nobody waiting beyond the deadline, and what it says later is no second answer.
    @Test func aRequestWhoseTimeIsOverIsTold() async throws {
        let gate = Gate()
        let batcher = NumberBatcher(
            lanes: 1, limits: .init(groupCost: 1, queueCost: 10), deadline: .milliseconds(20)
        ) { group in
            if group.map(\.number) == [1] { await gate.pass() }
            return group.map { .success($0.number) }
        }
        try await with(batcher) {
            await withTaskGroup(of: Void.self) { group in
                for request in 1...2 {
                    group.addTask {
                        await #expect(throws: Overdue.self) { try await batcher.submit(.init(request)) }
                    }
                    if request == 1 { await gate.arrival() }
                }
            }
            gate.open()
        }
    }

    @Test func everyRequestGetsItsOwnAnswer() async throws {
        let batcher = NumberBatcher(lanes: 2, limits: .init(groupCost: 7, queueCost: 10_000)) { group in
            group.map(\.number).map { $0 % 5 == 0 ? .failure(Refused(request: $0)) : .success($0 * 2) }
        }
        let answers = try await with(batcher) {
            await withTaskGroup(of: (Int, Result<Int, any Error>).self) { group in
                for request in 1...500 {
                    group.addTask {
                        do {
                            return (request, .success(try await batcher.submit(.init(request))))
                        } catch {
                            return (request, .failure(error))
                        }
                    }
                }
                return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            }
        }
        for request in 1...500 {
            switch answers[request] {
            case .success(let answer): #expect(answer == request * 2 && request % 5 != 0)
            case .failure(let error): #expect(error as? Refused == Refused(request: request))
            case nil: Issue.record("\(request) was not answered")
            }
        }
    }

    /// While one group is being written, what comes gathers into the next.
    @Test func requestsGatherWhileAGroupIsWritten() async throws {
        let sizes = Mutex<[Int]>([])
        let gate = Gate()
        let batcher = NumberBatcher(lanes: 1, limits: .init(groupCost: 100, queueCost: 1_000)) { group in
            let isFirst = sizes.withLock { sizes in
                sizes.append(group.count)
                return sizes.count == 1
            }
            if isFirst { await gate.pass() }
            return group.map { .success($0.number) }
        }
        try await with(batcher) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { _ = try await batcher.submit(0) }
                await gate.arrival()
                for request in 1...20 { group.addTask { _ = try await batcher.submit(.init(request)) } }
                while batcher.waitingCost < 20 { await Task.yield() }
                gate.open()
                try await group.waitForAll()
            }
        }
        #expect(sizes.withLock { $0 } == [1, 20])
    }

    /// A group that waits for somebody's lock holds up nobody else while there is a lane to spare.
    @Test func aStuckGroupHoldsUpNobodyElse() async throws {
        let gate = Gate()
        let batcher = NumberBatcher(lanes: 2, limits: .init(groupCost: 100, queueCost: 1_000)) { group in
            if group.contains(where: { $0.number == 0 }) { await gate.pass() }
            return group.map { .success($0.number) }
        }
        try await with(batcher) {
            async let stuck = batcher.submit(0)
            await gate.arrival()
            for request in 1...3 {
                let answer = try await batcher.submit(.init(request))
                #expect(answer == request)
            }
            gate.open()
            #expect(try await stuck == 0)
        }
    }

    /// What waits for the stuck group's own lock would only get the other lane stuck too.
    @Test func aHelpingLaneLeavesWhatIsLocked() async throws {
        let groups = Mutex<[[Int]]>([])
        let gate = Gate()
        let batcher = NumberBatcher(
            lanes: 2, limits: .init(groupCost: 100, queueCost: 1_000)
        ) { group in
            groups.withLock { $0.append(group.map(\.number)) }
            if group.map(\.number) == [0] { await gate.pass() }
            return group.map { .success($0.number) }
        }
        try await with(batcher) {
            async let stuck = batcher.submit(.init(0, lock: 0))
            await gate.arrival()
            async let locked = batcher.submit(.init(1, lock: 0))
            while batcher.waitingCost == 0 { await Task.yield() }
            for request in [11, 21] { _ = try await batcher.submit(.init(request, lock: Int64(request))) }
            #expect(batcher.waitingCost == 1)
            gate.open()
            let answers = try await [stuck, locked]
            #expect(answers == [0, 1])
        }
        #expect(groups.withLock { $0 } == [[0], [11], [21], [1]])
    }

    /// Who is committed hears of it at once, not when the next group is through.
    @Test func answersDoNotWaitForTheNextGroup() async throws {
        let (first, others) = (Gate(), Gate())
        let batcher = NumberBatcher(lanes: 1, limits: .init(groupCost: 100, queueCost: 1_000)) { group in
            await (group.map(\.number) == [1] ? first : others).pass()
            return group.map { .success($0.number) }
        }
        try await with(batcher) {
            async let one = batcher.submit(1)
            await first.arrival()
            async let two = batcher.submit(2)
            while batcher.waitingCost == 0 { await Task.yield() }
            first.open()
            let early = try await one
            others.open()
            let late = try await two
            #expect([early, late] == [1, 2])
        }
    }

    @Test func tooMuchIsRefused() async throws {
        let batcher = NumberBatcher(lanes: 1, limits: .init(groupCost: 1, queueCost: 2)) { group in
            group.map { .success($0.number) }
        }
        // No lane runs yet, so all of it waits.
        let first = Task { try await batcher.submit(.init(1, cost: 2)) }
        while batcher.waitingCost < 2 { await Task.yield() }
        let refusal = await #expect(throws: Problem.self) { try await batcher.submit(2) }
        #expect(refusal?.code == "overloaded")
        let answer = try await with(batcher) { try await first.value }
        #expect(answer == 1)
    }

    /// Who submits on tasks that start at once has their places in that order, and keeps it in the groups.
    @Test func orderIsKept() async throws {
        let written = Mutex<[Int]>([])
        let batcher = NumberBatcher(lanes: 2, limits: .init(groupCost: 7, queueCost: 100_000)) { group in
            written.withLock { $0 += group.map(\.number) }
            await Task.yield()
            return group.map { .success($0.number) }
        }
        try await with(batcher) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for request in 0..<1_000 {
                    group.addImmediateTask { _ = try await batcher.submit(.init(request, lock: 1), isUrgent: false) }
                }
                try await group.waitForAll()
            }
        }
        #expect(written.withLock { $0 } == Array(0..<1_000))
    }
}
