import Logging
import Postgres
import Shared

/// Something that the house does by itself at its time, for all tenants, as `pulsegate_system`. Doing it twice, or in two places at once,
/// must come to the same as doing it once: whoever runs jobs may die at any moment.
protocol Job: Sendable {
    var kind: JobKind { get }

    /// - Parameter now: what time it is held to be.
    /// - Returns: how many rows changed, over all tenants.
    /// - Throws: after it has done what could be done.
    func run(at now: Timestamp) async throws -> Int
}

/// The jobs there are, by the names under which their runs are recorded.
enum JobKind: String, CaseIterable, Sendable {
    case noShows = "no-shows"
    case lowStock = "low-stock"
    case cleanup
    case weeklyReport = "weekly-report"
    case partitions

    /// - Parameter interval: of what should happen soon (`JOBS_INTERVAL`).
    func schedule(_ interval: Duration) -> JobSchedule {
        switch self {
        case .noShows, .lowStock: .every(interval)
        case .cleanup: .daily(hour: 2)
        case .weeklyReport: .weekly
        case .partitions: .every(.seconds(3_600))
        }
    }

    /// - Parameter database: as `pulsegate_system`.
    func job(_ database: Database, _ logger: Logger) -> any Job {
        switch self {
        case .noShows: ReservationUpkeep(database: database, logger: logger)
        case .lowStock: LowStock(database: database, logger: logger)
        case .cleanup: Cleanup(database: database, logger: logger)
        case .weeklyReport: WeeklyReporting(database: database, logger: logger)
        case .partitions: Partitioning(database: database)
        }
    }
}

/// Makes the partitions that will be wanted.
struct Partitioning: Job {
    let kind = JobKind.partitions
    let database: Database

    func run(at now: Timestamp) async throws -> Int {
        var made = 0
        for (_, make) in ComingPartitions.wanted(at: now) {
            if try await database.lookUp(make) == [true] { made += 1 }
        }
        return made
    }
}
