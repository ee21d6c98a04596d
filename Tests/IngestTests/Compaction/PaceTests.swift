import Testing

@testable import Ingest

@Suite struct PaceTests {
    /// Whoever cancels it finds it asleep: a rest that had not begun, or was over, would throw nothing.
    private func isResting(_ pace: Pace) async -> Bool {
        let resting = Task { try await pace.rest() }
        resting.cancel()
        do {
            try await resting.value
            return false
        } catch {
            return true
        }
    }

    @Test func itRestsWhileMoreIsDoneThanTheTimeAllows() async {
        var pace = Pace(.seconds(3_600), work: 100)
        #expect(await !isResting(pace), "nothing is done yet")
        pace.did(1)
        #expect(await isResting(pace))
        pace.did(98)
        #expect(await isResting(pace))
        pace.did(1)
        #expect(await !isResting(pace), "nothing is left to do")
    }

    @Test func itDoesNotRestWhenTheTimeIsOver() async throws {
        var pace = Pace(.zero, work: 100)
        pace.did(50)
        try await pace.rest()
        #expect(await !isResting(Pace(.seconds(3_600), work: 0)))
    }
}
