import Testing

@testable import Ingest

struct GroupQueueTests {
    private func queue(group: Int = 10, queue: Int = 30) -> GroupQueue<Int> {
        GroupQueue(limits: .init(groupCost: group, queueCost: queue))
    }

    @Test func groupsAreTakenInOrderAndWithinTheirCost() {
        var queue = queue()
        for request in 1...5 { #expect(queue.offer(request, cost: 4) == true) }
        #expect(queue.take() == [1, 2])
        #expect(queue.take() == [3, 4])
        #expect(queue.take() == [5])
        #expect(queue.take() == [])
        #expect(queue.cost == 0)
    }

    @Test func aRequestLargerThanAGroupGoesAlone() {
        var queue = queue()
        #expect(queue.offer(1, cost: 25) == true)
        #expect(queue.offer(2, cost: 1) == true)
        #expect(queue.take() == [1])
        #expect(queue.take() == [2])
    }

    @Test func theQueueIsBoundedButNeverRefusesItsFirst() {
        var queue = queue()
        #expect(queue.offer(1, cost: 100) == true, "a request beyond the bound could otherwise never be served")
        #expect(queue.offer(2, cost: 1) == false)
        #expect(queue.take() == [1])
        #expect(queue.offer(3, cost: 30) == true)
        #expect(queue.offer(4, cost: 1) == false)
    }

    @Test func closedItRefusesButStillGives() {
        var queue = queue()
        #expect(queue.offer(1, cost: 1) == true)
        queue.close()
        #expect(queue.offer(2, cost: 1) == false)
        #expect(queue.take() == [1])
    }
}
