import Shared
import Testing

@testable import Ingest

struct GroupQueueTests {
    private func queue(group: Int = 10, queue: Int = 30) -> GroupQueue<Int> {
        GroupQueue(limits: .init(groupCost: group, queueCost: queue))
    }

    private let acme = TenantID(1)
    private let other = TenantID(2)

    @Test func groupsAreTakenInOrderAndWithinTheirCost() {
        var queue = queue(queue: 100)
        for request in 1...5 { #expect(queue.offer(request, of: acme, cost: 4) == .taken) }
        #expect(queue.take() == [1, 2])
        #expect(queue.take() == [3, 4])
        #expect(queue.take() == [5])
        #expect(queue.take() == [])
        #expect(queue.cost == 0 && queue.isEmpty && queue.first == nil)
    }

    @Test func aRequestLargerThanAGroupGoesAlone() {
        var queue = queue(queue: 100)
        #expect(queue.offer(1, of: acme, cost: 25) == .taken)
        #expect(queue.offer(2, of: acme, cost: 1) == .taken)
        #expect(queue.offer(3, of: other, cost: 25) == .taken)
        #expect(queue.take() == [1])
        var others = Set(queue.take())
        others.formUnion(queue.take())
        #expect(others == [2, 3] && queue.isEmpty)
    }

    @Test func theQueueIsBoundedButNeverRefusesItsFirst() {
        var queue = queue()
        #expect(
            queue.offer(1, of: acme, cost: 100) == .taken, "a request beyond the bound could otherwise never be served")
        #expect(queue.offer(2, of: other, cost: 1) == .full)
        #expect(queue.take() == [1])
        #expect(queue.offer(3, of: acme, cost: 30) == .taken)
        #expect(queue.offer(4, of: other, cost: 1) == .full)
    }

    /// However much one has waiting, there is room for one more of somebody else.
    @Test func aTenantHasItsShareOfTheRoom() {
        var queue = queue(queue: 40)
        for request in 0..<20 { #expect(queue.offer(request, of: acme, cost: 1) == .taken) }
        #expect(queue.offer(20, of: acme, cost: 1) == .beyondShare)
        for request in 0..<10 { #expect(queue.offer(request, of: other, cost: 1) == .taken) }
        #expect(queue.offer(10, of: other, cost: 1) == .beyondShare)
        #expect(queue.offer(0, of: TenantID(3), cost: 5) == .taken)
    }

    /// Who has much waiting does not keep another's request from the next group.
    @Test func tenantsTakeTurns() {
        var queue = queue(group: 32, queue: 10_000)
        for request in 0..<1_000 { #expect(queue.offer(request, of: acme, cost: 1) == .taken) }
        for request in 1_000..<1_004 { #expect(queue.offer(request, of: other, cost: 1) == .taken) }
        let group = queue.take()
        #expect(group.count == 32)
        #expect(group.filter { $0 >= 1_000 } == Array(1_000..<1_004))
        #expect(group.filter { $0 < 1_000 } == Array(0..<28), "and each keeps their order")
    }

    /// By cost: small requests are not held up by others' large ones, nor the other way around.
    @Test func turnsAreOfEqualCost() {
        var queue = queue(group: 160, queue: 100_000)
        for request in 0..<500 {
            #expect(queue.offer(request, of: acme, cost: 40) == .taken)
            for _ in 0..<4 { #expect(queue.offer(1_000, of: other, cost: 1) == .taken) }
        }
        var (large, small) = (0, 0)
        for _ in 0..<20 {
            let group = queue.take()
            large += group.count { $0 < 1_000 } * 40
            small += group.count { $0 == 1_000 }
        }
        #expect(abs(large - small) <= 160, "\(large) and \(small)")
    }

    /// What may not go keeps its place, and its tenant's turn.
    @Test func whatMayNotGoStays() {
        var queue = queue(group: 10, queue: 100)
        for request in 1...4 { #expect(queue.offer(request, of: acme, cost: 1) == .taken) }
        #expect(queue.offer(5, of: other, cost: 1) == .taken)
        #expect(Set(queue.take { $0 % 2 == 0 }) == [2, 4])
        #expect(queue.first == 0 && queue.cost == 3)
        #expect(queue.take { _ in false } == [])
        #expect(Set(queue.take()) == [1, 3, 5])
        #expect(queue.isEmpty && queue.cost == 0)
    }

    /// Who has more that is locked than a group holds keeps nobody else waiting, and gains no credit by it.
    @Test func aLockedBacklogStarvesNobody() {
        var queue = queue(group: 100, queue: 100_000)
        for request in 0..<300 { #expect(queue.offer(request, of: acme, cost: 10) == .taken) }
        for round in 0..<50 {
            for request in 1_000..<1_003 { #expect(queue.offer(request, of: other, cost: 1) == .taken) }
            #expect(queue.take { $0 >= 1_000 } == [1_000, 1_001, 1_002], "round \(round)")
        }
        for request in 1_000..<1_100 { #expect(queue.offer(request, of: other, cost: 10) == .taken) }
        var (large, small) = (0, 0)
        for _ in 0..<10 {
            let group = queue.take()
            large += group.count { $0 < 1_000 }
            small += group.count { $0 >= 1_000 }
        }
        #expect(abs(large - small) <= 20, "\(large) and \(small)")
    }

    @Test func closedItRefusesButStillGives() {
        var queue = queue()
        #expect(queue.offer(1, of: acme, cost: 1) == .taken)
        queue.close()
        #expect(queue.offer(2, of: acme, cost: 1) == .full)
        #expect(queue.take() == [1])
    }
}
