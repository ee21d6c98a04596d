import Postgres
import Shared
import Support
import Synchronization

@testable import Ingest

/// What all parts of a history share.
struct HistoryGround: Sendable {
    let plan: HistoryPlan
    let clone: MigratedDatabase
    let shops: [Shop]
    let processes: [WritingProcess]
    let model: SampleModel
    let ring = KeyRing()
    let names = SeriesNames()
    let tally: Tally
    let curtain = Curtain()

    var tenants: [Tenant] { Array(Set(shops.map(\.tenant))).sorted { $0.id < $1.id } }

    func other(than process: Int) -> Int { (process + 1) % processes.count }

    /// What became of a record; nil when the connection broke or was too slow, which says nothing.
    func answer(_ record: MetricRecord, from process: Int) async throws -> MetricOutcome? {
        do {
            let outcome = try await processes[process].submit(record)
            guard outcome != .refused else { throw failure("PostgreSQL refused a record") }
            return outcome
        } catch {
            try tolerate(error)
            return nil
        }
    }

    /// Lets pass what an ended connection, a cancelled statement or a busy machine explains.
    func tolerate(_ error: any Error) throws {
        try Task.checkCancellation()
        guard let error = error as? PostgresError ?? (error as? PipelineError)?.underlying else { throw error }
        switch (error.kind, error.sqlState) {
        case (.connectionLost, _), (.timeout, _), (.poolExhausted, _), (.cancelled, _): break
        case (_, "57P01"), (_, "57014"), (_, "55P03"): break
        default: throw failure("\(error)")
        }
    }

    func failure(_ what: String) -> HistoryFailure { HistoryFailure(seed: plan.seed, what: what) }
}

/// Falls when the clients have sent all that they had; whoever goes on until then looks at it.
final class Curtain: Sendable {
    private let fallen = Atomic(false)

    var hasFallen: Bool { fallen.load(ordering: .relaxed) }

    func fall() { fallen.store(true, ordering: .relaxed) }
}
