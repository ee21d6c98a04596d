import Foundation
import Synchronization

/// How much was done, for the progress of a long run and to see that a history did what it is for.
final class Tally: Sendable {
    enum Kind: String, CaseIterable {
        /// Requests written into the log: one each, but for those sent again after their key was forgotten.
        case stored
        case histories, requests, resends, kills, compactions, turns, vacuums, reads, samples
    }

    private let counts = Mutex<[Kind: Int]>([:])

    func count(_ kind: Kind, _ number: Int = 1) {
        counts.withLock { $0[kind, default: 0] += number }
    }

    subscript(kind: Kind) -> Int { counts.withLock { $0[kind] ?? 0 } }

    /// Takes in what a finished history counted.
    func add(_ other: Tally) {
        for kind in Kind.allCases { count(kind, other[kind]) }
    }

    var text: String { Kind.allCases.map { "\($0.rawValue) \(self[$0])" }.joined(separator: ", ") }

    /// On standard error, which nobody buffers.
    static func say(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }
}
