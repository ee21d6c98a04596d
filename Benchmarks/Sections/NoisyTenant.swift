import Foundation

extension Suite {
    /// (l) A tenant within its plan, alone and beside one that sends a hundred times what its own allows, turn by turn.
    func besideANoisyTenant() async throws -> [Row] {
        let laboratory = try await Laboratory.open(memory)
        let noisyKey = try await laboratory.onboardNoisyTenant()
        let shape = SampleShape.regular(samplesEach: 100, daysAgo: 12)
        let (quiet, noise) = (laboratory.batches(shape), SampleRequests.noise(key: noisyKey))
        let (alone, beside, refused) = try await laboratory.withIngest(compaction: .off) {
            let (load, noiseMaker) = (LoadGenerator(quiet), LoadGenerator(noise))
            var (alone, beside): (LoadReport?, LoadReport?)
            var refused: LoadReport?
            for _ in 0..<Self.turns {
                alone += try await load.run(quietPlan(laboratory))
                async let noisy = noiseMaker.run(noisePlan(laboratory))
                beside += try await load.run(quietPlan(laboratory))
                refused += try await noisy
            }
            guard let alone, let beside, let refused else { throw BenchFailure(description: "no turn was taken") }
            return (alone, beside, refused)
        }
        try await laboratory.close()
        var row = Row("Pulsegate, 500 requests a second, beside a tenant at 100 times its quota", beside, each: 100)
        row.ratio =
            String(
                format: "%.2f × its p99 alone",
                beside.latency.milliseconds(at: 0.99) / alone.latency.milliseconds(at: 0.99))
        row.note = "\(Figure.short(refused.perSecond)) answers/s, 429 nearly all, to who asked for 10 k/s"
        return [Row("Pulsegate, 500 requests a second, alone", alone, each: 100), row]
    }

    /// Alone and beside, one after the other, so that what else goes on here meets both.
    private static let turns = 5

    private func quietPlan(_ laboratory: Laboratory) -> LoadPlan {
        plan(laboratory.ingestPort, expecting: "\"stored\":100", .constant(perSecond: 500))
    }

    private func noisePlan(_ laboratory: Laboratory) -> LoadPlan {
        var plan = plan(laboratory.ingestPort, .constant(perSecond: 10_000))
        plan.mayBeRefused = true
        return plan
    }
}

extension LoadReport? {
    fileprivate static func += (left: inout LoadReport?, right: LoadReport) {
        left = left.map { $0 + right } ?? right
    }
}

extension SampleRequests {
    /// Of one store.
    fileprivate static func noise(key: String) -> SampleRequests {
        var shape = SampleShape.regular(samplesEach: 100, daysAgo: 12)
        shape.stores = 1
        return SampleRequests(shape, .json(path: "/v1/metrics/batch", keys: [key]))
    }
}
