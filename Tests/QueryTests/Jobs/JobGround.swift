import Logging
import Postgres
import Shared
import Support
import Synchronization
import Testing

@testable import Query

/// A clock that stands until it is set.
final class SetClock: Sendable {
    private let time: Mutex<Timestamp>

    init(_ time: Timestamp) { self.time = Mutex(time) }

    var now: Timestamp { time.withLock { $0 } }

    func advance(seconds: Int64) { time.withLock { $0 = $0.adding(seconds: seconds) } }
}

/// Does what a test wants, under the name of one of the house.
struct TestJob: Job {
    let kind: JobKind
    let work: @Sendable (Timestamp) async throws -> Int

    func run(at now: Timestamp) async throws -> Int { try await work(now) }
}

/// Counts, and is read by whoever waits.
final class Tally: Sendable {
    private let number = Mutex(0)

    var count: Int { number.withLock { $0 } }

    @discardableResult
    func add() -> Int {
        number.withLock { number in
            number += 1
            return number
        }
    }
}

/// Runners on a database, as processes would be.
struct JobGround: Sendable {
    let database: MigratedDatabase
    let clock: SetClock

    /// One that runs until it is cancelled.
    func start(
        _ jobs: [any Job], ticks: [JobRunner.Tick] = [], metrics: MetricRegistry = MetricRegistry()
    ) throws -> Task<Void, any Error> {
        let connection = ConnectionConfiguration(url: try database.url(as: .system), applicationName: "jobs")
        return Task {
            try await database.withPool(as: .system, maxConnections: 2) { pool in
                let runner = JobRunner(
                    jobs: jobs, ticks: ticks, interval: .seconds(10), connection: connection, database: pool,
                    metrics: metrics, logger: .silent, pace: .milliseconds(20), now: { clock.now })
                await runner.campaign()
            }
        }
    }

    static func isLeading(_ metrics: MetricRegistry) -> Bool {
        metrics.gauge("pulsegate_jobs_leader", help: "1 where this process runs the jobs.").value == 1
    }

    /// Ends the session that holds the lock, as a failing server or network would.
    func endLeader() async throws {
        try await database.asSuperuser { connection in
            _ = try await connection.all(
                """
                SELECT pg_terminate_backend(pid) FROM pg_locks
                 WHERE locktype = 'advisory' AND granted AND objid = 7310010
                   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                """ as Statement<Bool>)
        }
    }

    /// Job, instant, how it ended and how often.
    func runs() async throws -> [String] {
        try await database.asSuperuser { connection in
            try await connection.all(
                """
                SELECT job || ' ' || to_char(due_at AT TIME ZONE 'UTC', 'MM-DD HH24') || ' ' || status
                       || coalesce(' (' || error || ')', '') || ' ' || count(*)
                  FROM job_runs GROUP BY job, due_at, status, error ORDER BY job, due_at, status
                """)
        }
    }
}

/// Asks until it is so.
func eventually(_ what: String, _ isSo: () async throws -> Bool) async throws {
    let limit = ContinuousClock.now + .seconds(60)
    while try await !isSo() {
        try #require(ContinuousClock.now < limit, "never: \(what)")
        try await Task.sleep(for: .milliseconds(10))
    }
}
