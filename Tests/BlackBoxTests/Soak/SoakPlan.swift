import Foundation

/// How long, how often, how bad.
struct SoakPlan: Sendable {
    let seed: UInt64
    let isLong: Bool
    let length: Duration
    /// Each ends with everything mended, drained and checked.
    let rounds: Int
    /// Milliseconds between two faults.
    let peace: ClosedRange<Int>
    /// Milliseconds.
    let longestOutage: Int
    /// Milliseconds between two requests of a sender.
    let pace: ClosedRange<Int>
    private let began = ContinuousClock.now

    static func short(_ seed: UInt64) -> SoakPlan {
        SoakPlan(
            seed: seed, isLong: false, length: .seconds(12), rounds: 2, peace: 200...800, longestOutage: 2_000,
            pace: 1...30)
    }

    /// Rounds of some five minutes.
    static func long(_ seed: UInt64, seconds: Int) -> SoakPlan {
        SoakPlan(
            seed: seed, isLong: true, length: .seconds(seconds), rounds: max(2, seconds / 300), peace: 2_000...15_000,
            longestOutage: 120_000, pace: 10...100)
    }

    var roundLength: Duration { length / rounds }

    /// Only where it takes long enough for somebody to watch.
    func tell(_ text: String) {
        if isLong { say(text) }
    }

    /// On standard error, which nobody buffers.
    func say(_ text: String) {
        FileHandle.standardError.write(
            Data("fault soak \(seed), \((ContinuousClock.now - began).components.seconds) s: \(text)\n".utf8))
    }
}
