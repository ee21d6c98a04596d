import Shared
import Support
import Testing

@testable import Query

/// Random samples of one series as the database may hold them: disjoint chunks that may overlap in time, and a log with
/// late and repeated times.
struct StoredSamples {
    struct Sample: Hashable {
        let ts: Int64
        let value: Double
    }

    /// A chunk as compaction makes it.
    struct Chunk {
        let samples: [Sample]

        var differences: [Int64] { zip(samples.dropFirst(), samples).map { $0.0.ts - $0.1.ts } }

        var unit: Int32 { differences.allSatisfy { $0 % 1_000 == 0 } ? 1_000 : 1 }

        var steps: [Int32] {
            let steps = differences.map { Int32($0 / Int64(unit)) }
            return Set(steps).count == 1 ? [steps[0]] : steps
        }

        func packed() throws -> SampleChunk {
            let chunks = SampleChunk.make(ts: samples.map(\.ts), values: samples.map(\.value))
            return try #require(chunks.first)
        }
    }

    let chunks: [Chunk]
    /// In the order of acceptance.
    let log: [Sample]

    static func random(_ random: inout SplitMix) -> StoredSamples {
        // Few distinct times, so that many meet; whole milliseconds half of the time.
        let grain: Int64 = Bool.random(using: &random) ? 1_000 : 1
        let regular = Bool.random(using: &random)
        var free = Set(
            (0..<Int64.random(in: 0...60, using: &random)).map { _ in
                Int64.random(in: -40...80, using: &random) * (regular ? 1 : 7) * grain
            })
        var chunks: [Chunk] = []
        while !free.isEmpty {
            let times = free.shuffled(using: &random).prefix(Int.random(in: 1...20, using: &random)).sorted()
            free.subtract(times)
            chunks.append(Chunk(samples: times.map { Sample(ts: $0, value: value(&random)) }))
        }
        let log = (0..<Int.random(in: 0...60, using: &random)).map { _ in
            Sample(ts: Int64.random(in: -40...80, using: &random) * grain, value: value(&random))
        }
        return StoredSamples(chunks: chunks, log: log)
    }

    /// Sums of these are exact, whatever their order.
    private static func value(_ random: inout SplitMix) -> Double {
        Double(Int.random(in: -1_000_000...1_000_000, using: &random)) / 64
    }
}
