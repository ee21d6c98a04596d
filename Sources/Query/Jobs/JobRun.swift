import Foundation
import Postgres
import Shared

/// What became of a run.
enum JobOutcome: Sendable, Equatable {
    /// How many rows changed.
    case succeeded(Int)
    /// In short words that say nothing of any tenant.
    case failed(String)

    var status: String {
        switch self {
        case .succeeded: "succeeded"
        case .failed: "failed"
        }
    }
}

/// One run of a job, as everybody may know it: not what it says of all tenants together.
struct JobRun: Sendable {
    static let interrupted = "interrupted"
    static let endedWithItsProcess = "ended with its process"

    static func isInterruption(_ words: String) -> Bool { [interrupted, endedWithItsProcess].contains(words) }

    let id: UUID
    let dueAt, startedAt: Timestamp
    let finishedAt: Timestamp?
    let status: String
    let byHand: Bool
}

extension JobRun: RowDecodable {
    init(_ row: Row) throws {
        id = try row["id"]
        dueAt = try row["due_at"]
        startedAt = try row["started_at"]
        finishedAt = try row["finished_at"]
        status = try row["status"]
        byHand = try row["by_hand"]
    }
}

extension JobRun: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.object { object in
            object.field("id", id)
            object.field("due_at", dueAt)
            object.field("started_at", startedAt)
            object.field("finished_at", finishedAt)
            object.field("status", status)
            object.field("by_hand", byHand)
        }
    }
}

extension JobRun {
    /// Where a run stands in the list, newest first.
    struct Position: Codable, Sendable {
        /// Microseconds since the Unix epoch.
        let startedAt: Int64
        let id: UUID
    }

    var position: Position { Position(startedAt: startedAt.microseconds, id: id) }

    static func page(_ job: JobKind, before: Position?, limit: Int) -> Statement<JobRun> {
        let older: Fragment =
            if let before {
                "(started_at, id) < (\(Timestamp(microseconds: before.startedAt)), \(before.id))"
            } else { "true" }
        return """
            SELECT id, due_at, started_at, finished_at, status, by_hand FROM job_runs
             WHERE job = \(job.rawValue) AND \(older)
             ORDER BY started_at DESC, id DESC LIMIT \(Int64(limit))
            """
    }

    static func lastSuccess(of job: JobKind) -> Statement<Timestamp> {
        """
        SELECT finished_at FROM job_runs WHERE job = \(job.rawValue) AND status = 'succeeded'
         ORDER BY started_at DESC LIMIT 1
        """
    }

    /// A run begins. Of what the leader runs there is one at a time, so an earlier one that still seems to run does not.
    static func begin(
        _ id: UUID, _ job: JobKind, for due: Timestamp, at now: Timestamp, byHand: Bool, runner: String
    ) -> Command {
        """
        WITH earlier AS (
            UPDATE job_runs SET status = 'failed', finished_at = \(now), error = \(endedWithItsProcess)
             WHERE job = \(job.rawValue) AND status = 'running' AND NOT by_hand AND false = \(byHand)
        )
        INSERT INTO job_runs (id, job, due_at, started_at, by_hand, runner)
        VALUES (\(id), \(job.rawValue), \(due), \(now), \(byHand), \(String(runner.prefix(200))))
        """
    }

    /// Nothing where another leader has given the run up meanwhile.
    static func finish(_ id: UUID, _ outcome: JobOutcome, at now: Timestamp) -> Command {
        var changed: Int64?
        var words: String?
        switch outcome {
        case .succeeded(let rows): changed = Int64(rows)
        case .failed(let reason): words = String(reason.prefix(2_000))
        }
        return """
            UPDATE job_runs SET status = \(outcome.status), finished_at = \(now), changed = \(changed), error = \(words)
             WHERE id = \(id) AND status = 'running'
            """
    }

    /// What whoever led before left behind. By hand a run may still go on beside us, but not for a day.
    static func giveUp(at now: Timestamp) -> Command {
        """
        UPDATE job_runs SET status = 'failed', finished_at = \(now), error = \(endedWithItsProcess)
         WHERE status = 'running' AND (NOT by_hand OR started_at < \(now.adding(seconds: -86_400)))
        """
    }
}
