import Support
import Shared
import Testing

@testable import Query

/// Decoding, deduplication and bucketing against a model that is too simple to be wrong.
@Suite struct SampleMergeTests {
    @Test(arguments: 0..<200)
    func equalsTheNaiveModel(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        let stored = StoredSamples.random(&random)
        let span = Int64.random(in: -50_000...0, using: &random)..<Int64.random(in: 1...90_000, using: &random)
        var merge = SampleMerge()
        for chunk in stored.chunks.shuffled(using: &random) { merge.add(try chunk.packed(), within: span) }
        for sample in stored.log where span.contains(sample.ts) { merge.addLogged(sample.ts, sample.value) }
        let merged = merge.merged()

        var model: [Int64: Double] = [:]
        for sample in stored.chunks.flatMap(\.samples) + stored.log where span.contains(sample.ts) {
            if model[sample.ts] == nil { model[sample.ts] = sample.value }
        }
        #expect(merged.times == model.keys.sorted())
        #expect(merged.values == model.keys.sorted().compactMap { model[$0] })

        let step = Int64.random(in: 1...20_000, using: &random)
        for aggregation in Aggregation.allCases {
            let points = merged.bucketed(by: step, aggregation)
            let buckets = Dictionary(grouping: model.keys.sorted()) { ts in
                Int64((Double(ts) / Double(step)).rounded(.down))
            }
            #expect(points.times == buckets.keys.sorted().map { $0 * step })
            let expected = buckets.keys.sorted().map { key in
                Self.value(of: aggregation, (buckets[key] ?? []).compactMap { model[$0] })
            }
            #expect(points.values == expected, "\(aggregation)")
        }
    }

    private static func value(of aggregation: Aggregation, _ values: [Double]) -> Double {
        switch aggregation {
        case .avg: values.reduce(0, +) / Double(values.count)
        case .min: values.min() ?? .nan
        case .max: values.max() ?? .nan
        case .sum: values.reduce(0, +)
        case .count: Double(values.count)
        }
    }
}

@Suite struct StepTests {
    @Test(
        arguments: [
            ("30", 30_000_000), ("0.5", 500_000), ("250ms", 250_000), ("30s", 30_000_000), ("5m", 300_000_000),
            ("1h", 3_600_000_000), ("1d", 86_400_000_000), ("1w", 604_800_000_000),
        ] as [(String, Int64)])
    func reads(text: String, microseconds: Int64) {
        #expect(Step(text)?.microseconds == microseconds)
    }

    @Test(arguments: ["", "0", "-5", "s", "1y", "1e3", "nan", "0.1ms", "367d", "5 m"])
    func refuses(text: String) {
        #expect(Step(text) == nil)
    }

    @Test(
        arguments: [
            (3_600_000_000, 500, 10), (3_600_000_000, 60, 60), (3_600_000_000, 59, 120), (86_400_000_000, 500, 300),
            (30 * 86_400_000_000, 500, 7_200), (1, 1, 1),
        ] as [(Int64, Int64, Double)])
    func dividesIntoUsualSteps(span: Int64, count: Int64, seconds: Double) {
        #expect(Step.dividing(0..<span, into: count).seconds == seconds)
    }

    @Test(arguments: 0..<100)
    func staysBelowTheCount(seed: UInt64) {
        var random = SplitMix(state: seed)
        let start = Int64.random(in: 0...2_000_000_000_000_000, using: &random)
        let span = start..<(start + Int64.random(in: 1...100_000_000_000_000, using: &random))
        let count = Int64.random(in: 2...11_000, using: &random)
        let step = Step.dividing(span, into: count)
        #expect(step.buckets(in: span) <= count)
        let everyMicrosecond = Set([span.lowerBound, span.upperBound - 1].map { $0 / step.microseconds })
        #expect(step.buckets(in: span) >= Int64(everyMicrosecond.count))
    }
}
