import Foundation
import Support

/// How long tests of faults go on: briefly in `make test`, as long as one likes by the environment.
enum FaultSettings {
    /// Repetitions, where `FAULT_ROUNDS` says nothing else.
    static func rounds(_ few: Int) -> Int { setting("FAULT_ROUNDS").map(Int.init) ?? few }

    /// Of the database, where `OUTAGE_SECONDS` says nothing else.
    static func outage(_ short: Duration) -> Duration { setting("OUTAGE_SECONDS").map { .seconds($0) } ?? short }

    /// A failure says its own; `SOAK_SEED` repeats it.
    static let seed = setting("SOAK_SEED") ?? .random(in: 1..<1 << 32)

    static func setting(_ name: String) -> UInt64? {
        ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) }
    }
}
