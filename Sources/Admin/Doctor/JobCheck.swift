import Postgres
import Shared

/// Some query process leads, and its jobs succeed.
struct JobCheck: DoctorCheck {
    let name = "jobs"

    func examine(_ database: Database) async throws -> [Finding] {
        let failing: [String] = try await database.lookUp(
            """
            SELECT job FROM (SELECT DISTINCT ON (job) job, status FROM job_runs WHERE NOT by_hand AND status <> 'running'
                              ORDER BY job, started_at DESC) AS last
             WHERE status = 'failed' ORDER BY job
            """)
        let age: [Int64?] = try await database.lookUp(
            "SELECT extract(epoch FROM now() - max(finished_at))::bigint FROM job_runs WHERE status = 'succeeded'")
        guard failing.isEmpty else { return [.fail(name, "failed last time: \(failing.joined(separator: ", "))")] }
        guard let age = age.first ?? nil else {
            return [.warn(name, "none ran yet: has a query process SYSTEM_DATABASE_URL?")]
        }
        guard age <= 2 * 3600 else {
            return [.warn(name, "none for \(age / 3600) hours: has a query process SYSTEM_DATABASE_URL?")]
        }
        return [.ok(name, "the last one ended \(age) seconds ago")]
    }
}
