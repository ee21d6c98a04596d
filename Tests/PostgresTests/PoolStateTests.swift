import Support
import Testing

@testable import Postgres

@Suite struct PoolStateTests {
    let start = ContinuousClock.now

    func makeState(maxConnections: Int = 2, maxWaiters: Int = 3) -> PoolState {
        PoolState(
            PoolState.Limits(
                maxConnections: maxConnections, maxWaiters: maxWaiters, acquireTimeout: .seconds(5),
                idleTimeout: .seconds(60), maxLifetime: .seconds(600), tryOutAfter: .seconds(30),
                backoff: Backoff(base: .seconds(1), limit: .seconds(8))))
    }

    @Test func connectsForTheFirstCallerAndLendsToIt() {
        var state = makeState()
        #expect(state.acquire(1, now: start) == [.connect(1)])
        #expect(state.connected(1, now: start) == [.lend(1, to: 1, tryOut: false)])
        #expect(state.release(1, isUsable: true, now: start) == [])
        #expect(state.counts == (idle: 1, lent: 0, connecting: 0, waiting: 0))
    }

    @Test func neverOpensMoreThanTheLimit() {
        var state = makeState(maxConnections: 2, maxWaiters: 10)
        let connects = (1...5).flatMap { state.acquire($0, now: start) }
        #expect(connects == [.connect(1), .connect(2)])
    }

    @Test func servesInTheOrderOfArrival() {
        var state = makeState(maxConnections: 1)
        _ = state.acquire(1, now: start)
        _ = state.acquire(2, now: start)
        _ = state.acquire(3, now: start)
        #expect(state.connected(1, now: start) == [.lend(1, to: 1, tryOut: false)])
        #expect(state.release(1, isUsable: true, now: start) == [.lend(1, to: 2, tryOut: false)])
        #expect(state.acquire(4, now: start) == [])
        #expect(state.release(1, isUsable: true, now: start) == [.lend(1, to: 3, tryOut: false)])
        #expect(state.release(1, isUsable: true, now: start) == [.lend(1, to: 4, tryOut: false)])
    }

    @Test func refusesMoreWaitersThanAllowed() {
        var state = makeState(maxConnections: 1, maxWaiters: 2)
        _ = state.acquire(1, now: start)
        _ = state.acquire(2, now: start)
        #expect(state.acquire(3, now: start) == [.refuse(3, .tooManyWaiters)])
    }

    @Test func waitersTimeOutInOrder() {
        var state = makeState(maxConnections: 1)
        _ = state.acquire(1, now: start)
        _ = state.connected(1, now: start)
        _ = state.acquire(2, now: start)
        _ = state.acquire(3, now: start + .seconds(1))
        #expect(state.nextDeadline == start + .seconds(5))
        #expect(state.tick(now: start + .seconds(5)) == [.refuse(2, .timeout(connectFailed: false))])
        #expect(state.nextDeadline == start + .seconds(6))
        #expect(state.release(1, isUsable: true, now: start + .seconds(5)) == [.lend(1, to: 3, tryOut: false)])
    }

    @Test func anAbandonedWaiterIsSkipped() {
        var state = makeState(maxConnections: 1)
        _ = state.acquire(1, now: start)
        _ = state.connected(1, now: start)
        _ = state.acquire(2, now: start)
        _ = state.acquire(3, now: start)
        #expect(state.abandon(2) == true)
        #expect(state.abandon(2) == false)
        #expect(state.release(1, isUsable: true, now: start) == [.lend(1, to: 3, tryOut: false)])
    }

    @Test func abandoningAnUnusedConnectAttemptKeepsItsConnection() {
        var state = makeState()
        _ = state.acquire(1, now: start)
        #expect(state.abandon(1) == true)
        #expect(state.connected(1, now: start) == [])
        #expect(state.counts.idle == 1)
    }

    @Test func aBrokenConnectionIsReplacedForWhoWaits() {
        var state = makeState(maxConnections: 1)
        _ = state.acquire(1, now: start)
        _ = state.connected(1, now: start)
        _ = state.acquire(2, now: start)
        #expect(state.release(1, isUsable: false, now: start) == [.close(1), .connect(2)])
        #expect(state.connected(2, now: start) == [.lend(2, to: 2, tryOut: false)])
    }

    @Test func failedConnectsBackOffAndTryOneAtATime() {
        var state = makeState()
        #expect(state.acquire(1, now: start) == [.connect(1)])
        #expect(state.acquire(2, now: start) == [.connect(2)])
        #expect(state.connectFailed(1, now: start, jitter: 1) == [])
        #expect(state.connectFailed(2, now: start, jitter: 1) == [])
        // Second failure in a row: base doubled.
        #expect(state.nextDeadline == start + .seconds(2))
        #expect(state.tick(now: start + .seconds(1)) == [])
        #expect(state.tick(now: start + .seconds(2)) == [.connect(3)])
        // A success ends the caution.
        #expect(
            state.connected(3, now: start + .seconds(2)) == [.lend(3, to: 1, tryOut: false), .connect(4)])
    }

    @Test func theNextDeadlineIsNeverBehindAfterATick() {
        var state = makeState()
        _ = state.acquire(1, now: start)
        _ = state.connectFailed(1, now: start, jitter: 0)
        for step in 0..<50 {
            guard let next = state.nextDeadline else { return }
            let actions = state.tick(now: next)
            #expect(state.nextDeadline.map { $0 > next } ?? true, "spins at step \(step)")
            guard case .connect(let id) = actions.first else { continue }
            _ = state.connectFailed(id, now: next, jitter: 0.5)
        }
        #expect(state.counts.waiting == 0)
    }

    @Test func aTimeOutTellsThatTheDatabaseIsAway() {
        var state = makeState()
        _ = state.acquire(1, now: start)
        _ = state.connectFailed(1, now: start + .seconds(5), jitter: 1)
        #expect(state.tick(now: start + .seconds(5)) == [.refuse(1, .timeout(connectFailed: true))])
    }

    @Test func lendsTheLatestAndClosesTheOldest() {
        var state = makeState()
        for id in 1...2 {
            _ = state.acquire(id, now: start)
            _ = state.connected(id, now: start)
        }
        _ = state.release(1, isUsable: true, now: start)
        _ = state.release(2, isUsable: true, now: start + .seconds(10))
        #expect(state.acquire(3, now: start + .seconds(20)) == [.lend(2, to: 3, tryOut: false)])
        #expect(state.tick(now: start + .seconds(60)) == [.close(1)])
        #expect(state.counts == (idle: 0, lent: 1, connecting: 0, waiting: 0))
    }

    @Test func triesOutWhatWasIdleForLong() {
        var state = makeState()
        _ = state.acquire(1, now: start)
        _ = state.connected(1, now: start)
        _ = state.release(1, isUsable: true, now: start)
        #expect(state.acquire(2, now: start + .seconds(30)) == [.lend(1, to: 2, tryOut: true)])
    }

    @Test func oldConnectionsAreReplacedWhenTheyComeBack() {
        var state = makeState()
        _ = state.acquire(1, now: start)
        _ = state.connected(1, now: start)
        #expect(state.release(1, isUsable: true, now: start + .seconds(600)) == [.close(1)])
    }

    @Test func lostWhileIdleIsForgotten() {
        var state = makeState()
        _ = state.acquire(1, now: start)
        _ = state.connected(1, now: start)
        #expect(state.lost(1) == [])
        _ = state.release(1, isUsable: true, now: start)
        #expect(state.lost(1) == [.close(1)])
        #expect(state.acquire(2, now: start) == [.connect(2)])
    }

    @Test func shutDownWaitsForWhatIsLentOrConnecting() {
        var state = makeState(maxConnections: 3)
        _ = state.acquire(1, now: start)
        _ = state.connected(1, now: start)
        #expect(state.acquire(2, now: start) == [.connect(2)])
        #expect(state.shutDown() == [.refuse(2, .closed)])
        #expect(state.acquire(3, now: start) == [.refuse(3, .closed)])
        #expect(state.connected(2, now: start) == [.close(2)])
        #expect(state.release(1, isUsable: true, now: start) == [.close(1), .finished])
        #expect(state.nextDeadline == nil)
    }

    /// Whatever happens in whatever order: never more than the limit, nobody served twice, all served or refused.
    @Test(arguments: 0..<50) func randomEventsKeepTheInvariants(seed: UInt64) {
        var random = SplitMix(state: seed)
        var state = makeState(maxConnections: 3, maxWaiters: 5)
        var (now, waiting, lent, connecting, open) = (start, Set<Int>(), [Int](), [Int](), 0)
        func handle(_ actions: [PoolState.Action]) {
            for action in actions {
                switch action {
                case .lend(let id, let waiter, _):
                    #expect(waiting.remove(waiter) != nil && !lent.contains(id))
                    lent.append(id)
                case .refuse(let waiter, _): #expect(waiting.remove(waiter) != nil)
                case .connect(let id): connecting.append(id)
                case .close: open -= 1
                case .finished: #expect(lent.isEmpty && connecting.isEmpty)
                }
            }
            #expect(open + connecting.count <= 3)
            #expect(state.counts.waiting == waiting.count)
            #expect(waiting.isEmpty || state.counts.idle == 0, "an idle connection while somebody waits")
        }
        for waiter in 1...400 {
            now += .milliseconds(Int.random(in: 0...900, using: &random))
            handle(state.tick(now: now))
            switch Int.random(in: 0..<6, using: &random) {
            case 0, 1:
                waiting.insert(waiter)
                handle(state.acquire(waiter, now: now))
            case 2 where !connecting.isEmpty:
                open += 1
                handle(state.connected(connecting.removeFirst(), now: now))
            case 3 where !connecting.isEmpty:
                handle(state.connectFailed(connecting.removeFirst(), now: now, jitter: 0.5))
            case 4 where !lent.isEmpty:
                handle(state.release(lent.removeFirst(), isUsable: Bool.random(using: &random), now: now))
            case 5: if let some = waiting.min(), state.abandon(some) { waiting.remove(some) }
            default: break
            }
        }
    }
}
