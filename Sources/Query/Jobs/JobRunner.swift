import Logging
import Postgres
import ServiceLifecycle
import Shared
import Synchronization

/// Runs jobs at their times, in the one process that leads. Of a leader that dies or loses its connection the next takes over what was
/// due; what it was doing is stopped.
struct JobRunner: Service {
    /// Something small that the leader does again and again; no runs are recorded of it.
    struct Tick: Sendable {
        let name: String
        let every: Duration
        let work: @Sendable () async throws -> Void
    }

    /// Jobs at once: what hangs keeps the others from nothing as long as one is free.
    static let width = 3

    let jobs: [any Job]
    var ticks: [Tick] = []
    /// Of what should happen soon.
    let interval: Duration
    /// For the lock.
    let connection: ConnectionConfiguration
    let database: Database
    let metrics: MetricRegistry
    let logger: Logger
    /// How often it is looked whether something is due, whether this process still leads, or could.
    var pace = Duration.seconds(1)
    var now: @Sendable () -> Timestamp = { .now() }

    func run() async throws {
        await cancelWhenGracefulShutdown { await campaign() }
    }

    /// Leads whenever nobody else does, until the task is cancelled.
    func campaign() async {
        let leads = metrics.gauge("pulsegate_jobs_leader", help: "1 where this process runs the jobs.")
        // There from the start, so that what never happened is 0.
        for job in jobs { for outcome in ["succeeded", "failed"] { _ = runs(of: job, outcome) } }
        while let leadership = try? await Leadership.won(connection, pace: pace, logger: logger) {
            leads.set(1)
            logger.info("this process runs the jobs")
            await withTaskGroup { group in
                group.addTask { await leadership.hold(pace: pace) }
                group.addTask { await lead(leadership) }
                await group.next()
                group.cancelAll()
            }
            leads.set(0)
            // Whoever can't do what a leader does leaves it to others, and does not hurry.
            try? await Task.sleep(for: pace)
        }
    }

    private func lead(_ leadership: Leadership) async {
        let book: JobBook
        do {
            try await leadership.run(JobRun.giveUp(at: now()))
            var records: [JobKind: JobRecord] = [:]
            for job in jobs { records[job.kind] = try await leadership.first(JobRecord.of(job.kind)) }
            book = JobBook(records)
        } catch {
            return logger.warning("what jobs are due is not known", metadata: ["reason": "\(error)"])
        }
        await withDiscardingTaskGroup { group in
            for tick in ticks {
                group.addTask { await repeating(tick) }
            }
            while !Task.isCancelled {
                for (job, due) in book.take(jobs, at: now(), interval, width: Self.width) {
                    group.addTask { await perform(job, for: due, book, leadership) }
                }
                // Only a cancellation ends it early, which the loop's condition sees.
                try? await Task.sleep(for: min(pace, interval))
            }
        }
    }

    private func perform(_ job: any Job, for due: Timestamp, _ book: JobBook, _ leadership: Leadership) async {
        let execution = JobExecution(database: database, now: now, logger: logger)
        let outcome = await execution.run(job, for: due, at: now(), byHand: false) { try await leadership.run($0) }
        if let outcome { runs(of: job, outcome.status).increment() }
        book.giveBack(job.kind, outcome, for: due, at: now())
    }

    /// Begins it at each interval, or when the time before has ended, and again after a failure.
    private func repeating(_ tick: Tick) async {
        while !Task.isCancelled {
            let next = ContinuousClock.now + tick.every
            do {
                try await tick.work()
            } catch {
                if !Task.isCancelled {
                    logger.warning("\(tick.name) failed", metadata: ["reason": "\(error)"])
                }
            }
            try? await Task.sleep(until: next, clock: .continuous)
        }
    }

    private func runs(of job: any Job, _ outcome: String) -> Counter {
        metrics.counter(
            "pulsegate_job_runs_total", help: "Runs of jobs by how they ended.",
            labels: [("job", job.kind.rawValue), ("outcome", outcome)])
    }
}

/// What a leader knows: which jobs run, and what became of those before. Nobody else runs any by their schedule, so it need not ask again.
private final class JobBook: Sendable {
    private struct State {
        var records: [JobKind: JobRecord]
        var running: Set<JobKind> = []
    }

    private let state: Mutex<State>

    init(_ records: [JobKind: JobRecord]) {
        state = Mutex(State(records: records))
    }

    /// Those that are to begin now.
    func take(
        _ jobs: [any Job], at now: Timestamp, _ interval: Duration, width: Int
    ) -> [(job: any Job, due: Timestamp)] {
        state.withLock { state in
            var taken: [(any Job, Timestamp)] = []
            for job in jobs where state.running.count < width && !state.running.contains(job.kind) {
                let record = state.records[job.kind] ?? JobRecord()
                guard let due = record.due(at: now, job.kind.schedule(interval)) else { continue }
                state.running.insert(job.kind)
                taken.append((job, due))
            }
            return taken
        }
    }

    func giveBack(_ job: JobKind, _ outcome: JobOutcome?, for due: Timestamp, at now: Timestamp) {
        state.withLock { state in
            state.running.remove(job)
            if let outcome { state.records[job, default: JobRecord()].note(outcome, for: due, at: now) }
        }
    }
}
