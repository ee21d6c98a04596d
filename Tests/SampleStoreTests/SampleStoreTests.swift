import Foundation
import Testing

/// The sample store against a naive model: whatever is sent, sent again, regrouped, compacted and interrupted, each
/// (series, time) is there once from the moment it is answered, with the value that was accepted first, and never changes.
///
/// `SOAK_SEED` repeats one history; `SOAK_SECONDS` plays ever new ones for so long, which is what `make soak` does.
@Suite(.serialized) struct SampleStoreTests {
    private static func setting(_ name: String) -> UInt64? {
        ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) }
    }

    @Test(.disabled(if: setting("SOAK_SECONDS") != nil), arguments: setting("SOAK_SEED").map { [$0] } ?? [1, 2, 3])
    func aShortHistoryEqualsTheModel(_ seed: UInt64) async throws {
        let tally = Tally()
        let began = ContinuousClock.now
        try await History.play(.short(seed), tally)
        Tally.say("history of seed \(seed), \(ContinuousClock.now - began): \(tally.text)")
    }

    @Test(.enabled(if: setting("SOAK_SECONDS") != nil)) func historiesEqualTheModelForLong() async throws {
        let seconds = Self.setting("SOAK_SECONDS") ?? 0
        var seed = Self.setting("SOAK_SEED") ?? UInt64(Date().timeIntervalSince1970)
        let (began, tally) = (ContinuousClock.now, Tally())
        let progress = Task {
            while !Task.isCancelled {
                try await Task.sleep(for: .seconds(60))
                Tally.say("soak, \((ContinuousClock.now - began).components.seconds) s: \(tally.text)")
            }
        }
        defer { progress.cancel() }
        while (ContinuousClock.now - began).components.seconds < Int64(seconds) {
            let plan = HistoryPlan.long(seed)
            Tally.say("soak, \(plan)")
            do {
                try await History.play(plan, tally)
            } catch {
                Tally.say("soak failed: \(error)")
                throw error
            }
            seed += 1
        }
        Tally.say("soak, done: \(tally.text)")
    }
}
