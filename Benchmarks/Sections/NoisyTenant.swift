import Foundation

extension Suite {
    /// (l) A tenant within its plan: alone, beside one that sends what its own plan allows, and beside it when it sends a hundred times as
    /// much; turn by turn.
    func besideANoisyTenant() async throws -> [Row] {
        let laboratory = try await Laboratory.open(memory)
        let noisyKey = try await laboratory.onboardNoisyTenant()
        let quiet = laboratory.batches(.regular(samplesEach: 100, daysAgo: 12))
        let noise = SampleRequests.noise(key: noisyKey)
        let (quietReports, noiseReports) = try await laboratory.withIngest(compaction: .off) {
            let (load, noiseMaker) = (LoadGenerator(quiet), LoadGenerator(noise))
            var (quietReports, noiseReports): ([LoadReport?], [LoadReport?]) = ([nil, nil, nil], [nil, nil, nil])
            for _ in 0..<Self.turns {
                for (index, noiseRate) in Self.noiseRates.enumerated() {
                    async let noisy = noiseRate.asyncMap { try await noiseMaker.run(noisePlan(laboratory, $0)) }
                    quietReports[index] += try await load.run(quietPlan(laboratory))
                    if let noisy = try await noisy { noiseReports[index] += noisy }
                }
            }
            return (quietReports.compactMap(\.self), noiseReports)
        }
        try await laboratory.close()
        let names = ["alone", "beside a tenant at its quota", "beside it at 100 times its quota"]
        return zip(names, zip(quietReports, noiseReports)).map { name, reports in
            var row = Row("Pulsegate, 500 requests a second, \(name)", reports.0, each: 100)
            let p99 = { (report: LoadReport) in report.latency.milliseconds(at: 0.99) }
            row.ratio = String(format: "%.2f × its p99 alone", p99(reports.0) / p99(quietReports[0]))
            if let noise = reports.1 {
                row.note =
                    "the other's answers: \(Figure.short(noise.perSecond))/s, of these \(noise.refused) of \(noise.requests) 429"
            }
            return row
        }
    }

    /// Requests a second of a tenant that may send 100.
    private static let noiseRates: [Double?] = [nil, 100, 10_000]

    /// One after the other, so that what else goes on here meets all.
    private static let turns = 5

    private func quietPlan(_ laboratory: Laboratory) -> LoadPlan {
        plan(laboratory.ingestPort, expecting: "\"stored\":100", .constant(perSecond: 500))
    }

    private func noisePlan(_ laboratory: Laboratory, _ rate: Double) -> LoadPlan {
        var plan = plan(laboratory.ingestPort, .constant(perSecond: rate))
        plan.mayBeRefused = true
        return plan
    }
}

extension Double? {
    fileprivate func asyncMap<Value>(_ transform: (Double) async throws -> Value) async rethrows -> Value? {
        if let self { try await transform(self) } else { nil }
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
