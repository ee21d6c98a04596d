import Testing

/// An hour of everything at once (`make soak`), twenty seconds in `make test`. `SOAK_SEED` repeats what was sent and what went wrong, if
/// not to the millisecond.
@Suite(.serialized, .timeLimit(.minutes(600)))
struct FaultSoakTests {
    private static let seconds = FaultSettings.setting("SOAK_SECONDS")

    @Test(.disabled(if: seconds != nil)) func whatIsAcknowledgedIsThereOnceWhateverHappensForAWhile() async throws {
        try await play(.short(FaultSettings.seed))
    }

    @Test(.enabled(if: seconds != nil, "it takes SOAK_SECONDS"))
    func whatIsAcknowledgedIsThereOnceWhateverHappensForLong() async throws {
        try await play(.long(FaultSettings.seed, seconds: Int(Self.seconds ?? 0)))
    }

    private func play(_ plan: SoakPlan) async throws {
        do {
            try await FaultSoak.run(plan)
        } catch {
            plan.say("failed: \(error)")
            throw error
        }
    }
}
