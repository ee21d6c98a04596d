import Shared
import Postgres
import Support

@testable import Ingest

/// What one history is made of. All of it follows from the seed, except for the moments at which its parts meet.
struct HistoryPlan: Sendable {
    /// Who draws random numbers; each has its own, so that none depends on how the others are scheduled.
    enum Part: UInt64 {
        case client = 1
        case delivery, reader, compactor, killer, sweeper
    }

    let seed: UInt64
    let clients: Int
    let stepsPerClient: Int
    let readers: Int
    /// Backends of writers and compactors are ended at random moments.
    let killsConnections: Bool
    /// Milliseconds between two of them at most.
    let longestPeace: Int
    /// Some transactions wait before they commit, so that others overtake them.
    let lingersBeforeCommit: Bool
    /// Requests bear an arrival that makes compaction take each of them in its next pass; else it waits for a hundred.
    let arrivedLongAgo: Bool

    /// For `make test`.
    static func short(_ seed: UInt64) -> HistoryPlan {
        HistoryPlan(
            seed: seed, clients: 6, stepsPerClient: 60, readers: 2, killsConnections: true, longestPeace: 40,
            lingersBeforeCommit: true, arrivedLongAgo: seed % 3 != 0)
    }

    /// For `make soak`: no two alike.
    static func long(_ seed: UInt64) -> HistoryPlan {
        var random = SplitMix(state: seed)
        return HistoryPlan(
            seed: seed, clients: Int.random(in: 2...12, using: &random),
            stepsPerClient: Int.random(in: 40...160, using: &random), readers: Int.random(in: 1...4, using: &random),
            killsConnections: Int.random(in: 0..<4, using: &random) > 0,
            longestPeace: Int.random(in: 10...300, using: &random),
            lingersBeforeCommit: Int.random(in: 0..<3, using: &random) > 0,
            arrivedLongAgo: Int.random(in: 0..<3, using: &random) > 0)
    }

    func random(_ part: Part, _ number: Int = 0) -> SplitMix {
        var mixed = SplitMix(state: seed &* 0x9E37_79B9_7F4A_7C15 &+ part.rawValue &* 1_000_003 &+ UInt64(number))
        return SplitMix(state: mixed.next())
    }

    /// When the first requests arrive: just after a period has begun, in 2026 or in 2043.
    var begin: Timestamp {
        Timestamp(microseconds: (arrivedLongAgo ? 692 : 900) * SampleChunk.period).adding(seconds: 300)
    }

    /// Periods that have partitions of their own; the others lie in the default partition.
    var partitionedPeriods: [Int32] { [691, 692, 899, 900] }

    /// When a client's request arrives: all clients' steps are a second apart, so that their rows without a time meet.
    func arrival(step: Int) -> Timestamp { begin.adding(seconds: step) }
}

extension HistoryPlan: CustomStringConvertible {
    var description: String {
        """
        seed \(seed): \(clients) clients of \(stepsPerClient) steps, \(readers) readers\
        \(killsConnections ? ", killed connections" : "")\(lingersBeforeCommit ? ", slow commits" : "")\
        \(arrivedLongAgo ? ", compacted at once" : "")
        """
    }
}
