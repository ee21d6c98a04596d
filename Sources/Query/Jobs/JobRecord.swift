import Postgres

/// What is known of a job's runs by its schedule, and whether it is due now: pure. Runs by hand say nothing here: whoever runs a job for
/// another time than now would keep it from its own.
struct JobRecord: Sendable, Equatable {
    struct Failure: Sendable, Equatable {
        /// What the run was for.
        let dueAt: Timestamp
        let finishedAt: Timestamp
        /// For the same instant, this one included.
        let attempts: Int64
        /// Its process ended or stopped leading: nothing was wrong with the job.
        let wasInterrupted: Bool
    }

    /// What the last run that succeeded was for.
    var done: Timestamp?
    var failure: Failure?

    /// The instant that the job should be run for now; nil where it has been, or has just failed.
    func due(at now: Timestamp, _ schedule: JobSchedule) -> Timestamp? {
        let due = schedule.due(at: now)
        if let done, done >= due { return nil }
        guard let failure, failure.dueAt >= due else { return due }
        // The first interruption was the process's; a job that ends every process that runs it must wait.
        if failure.wasInterrupted, failure.attempts == 1 { return due }
        return now >= failure.finishedAt.adding(schedule.patience) ? due : nil
    }

    mutating func note(_ outcome: JobOutcome, for due: Timestamp, at now: Timestamp) {
        switch outcome {
        case .succeeded: (done, failure) = (due, nil)
        case .failed(let words):
            let attempts = failure.map { $0.dueAt == due ? $0.attempts + 1 : 1 } ?? 1
            failure = Failure(
                dueAt: due, finishedAt: now, attempts: attempts, wasInterrupted: JobRun.isInterruption(words))
        }
    }
}

extension JobRecord: RowDecodable {
    init(_ row: Row) throws {
        done = try row["done"]
        if let due: Timestamp = try row["failed_for"], let finished: Timestamp = try row["failed_at"] {
            failure = Failure(
                dueAt: due, finishedAt: finished, attempts: try row["attempts"],
                wasInterrupted: JobRun.isInterruption(try row["error"] ?? ""))
        }
    }

    static func of(_ job: JobKind) -> Statement<JobRecord> {
        """
        SELECT (SELECT max(s.due_at) FROM (SELECT due_at FROM job_runs
                                            WHERE job = \(job.rawValue) AND status = 'succeeded' AND NOT by_hand
                                            ORDER BY started_at DESC LIMIT 10) s) AS done,
               f.due_at AS failed_for, f.finished_at AS failed_at, f.error,
               (SELECT count(*) FROM job_runs o
                 WHERE o.job = \(job.rawValue) AND o.status = 'failed' AND NOT o.by_hand AND o.due_at = f.due_at
                   AND o.started_at >= f.due_at) AS attempts
          FROM (SELECT) AS one
          LEFT JOIN LATERAL (SELECT due_at, finished_at, error FROM job_runs
                              WHERE job = \(job.rawValue) AND status = 'failed' AND NOT by_hand
                              ORDER BY started_at DESC LIMIT 1) f ON true
        """
    }
}
