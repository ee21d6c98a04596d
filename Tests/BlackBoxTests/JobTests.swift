import Foundation
import Postgres
import Support
import Testing

/// Jobs of real query processes: one leads, and who leads next is not up to it.
@Suite(.timeLimit(.minutes(5)))
struct JobTests {
    private static let soon = ["JOBS_INTERVAL": "0.2"]

    @Test func whoeverIsLeftTakesOverFromAKilledLeader() async throws {
        try await Installation.run { installation in
            _ = try await installation.onboard("acme")
            let first = try await installation.startQuery(Self.soon)
            let second = try await installation.startReplica(Self.soon)
            try await eventually("the first leads") { try await installation.isLeading(installation.queryMetricsURL) }
            #expect(try await !installation.isLeading(second.metricsURL))
            // What it is doing when it is killed waits for this.
            let holder = try await PostgresConnection.connect(
                ConnectionConfiguration(url: installation.environment["DATABASE_URL"] ?? ""))
            try await holder.execute(script: "BEGIN; LOCK TABLE alerts")
            try await eventually("it is at it") {
                try await installation.runs("low-stock", by: first).last == "running"
            }
            await first.killAndWait()
            let killed = ContinuousClock.now
            try await holder.execute(script: "ROLLBACK")
            await holder.close()
            try await eventually("the second goes on") {
                try await installation.runs("low-stock", by: second.process).last == "succeeded"
            }
            #expect(ContinuousClock.now - killed < .seconds(10))
            #expect(try await installation.runs("low-stock", by: first).last == "failed")
            #expect(try await installation.isLeading(second.metricsURL))
            try await eventually("it goes on") {
                try await installation.runs("low-stock", by: second.process).count { $0 == "succeeded" } > 2
            }
            // One that stops says so, and the next need not wait.
            let third = try await installation.startQuery(Self.soon)
            second.process.send(SIGTERM)
            try await eventually("the third leads", within: .seconds(5)) {
                try await installation.isLeading(installation.queryMetricsURL)
            }
            #expect(await second.process.waitForExit() == 0, "\(second.process.output)")
            try await eventually("it runs jobs") { try await !installation.runs("low-stock", by: third).isEmpty }
            third.send(SIGTERM)
            #expect(await third.waitForExit() == 0, "\(third.output)")
            let doubled: [String] = try await installation.rows(
                """
                SELECT job || ' ' || due_at FROM job_runs WHERE status = 'succeeded'
                 GROUP BY job, due_at HAVING count(*) > 1
                """)
            #expect(doubled == [])
            let open: [String] = try await installation.rows("SELECT job FROM job_runs WHERE status = 'running'")
            #expect(open == [])
        }
    }

    @Test func jobsAreRunByHand() async throws {
        try await Installation.run { installation in
            _ = try await installation.onboard("acme")
            let needed = installation.environment.filter { ["SYSTEM_DATABASE_URL"].contains($0.key) }
            func job(_ arguments: String..., in environment: [String: String]) async throws -> (Int32, String) {
                let process = try ServerProcess("pulsegate", arguments: ["job"] + arguments, environment: environment)
                let status = await process.waitForExit()
                return (status, process.output)
            }
            for name in ["low-stock", "no-shows", "cleanup", "partitions"] {
                let (status, output) = try await job(name, in: needed)
                #expect(status == 0 && output.contains("\(name): "), "\(status) \(output)")
                #expect(output.hasSuffix(" changed\n"), "\(output)")
            }
            for changed in [2, 0] { // of the founding tenant too
                let (_, output) = try await job("weekly-report", "--at", "2026-11-18T12:00:00Z", in: needed)
                #expect(output.hasSuffix("weekly-report: \(changed) changed\n"), "\(output)")
            }
            let weeks: [String] = try await installation.rows("SELECT DISTINCT week::text FROM weekly_reports")
            #expect(weeks == ["2026-11-08"])
            let runs: [String] = try await installation.rows(
                "SELECT status || ' ' || by_hand || ' ' || count(*) FROM job_runs GROUP BY status, by_hand")
            #expect(runs == ["succeeded true 6"])
            let (_, list) = try await job(in: needed)
            #expect(list.contains("weekly-report: Sundays at 00:00 UTC; last run 20"), "\(list)")
            let unknown = try await job("nonsense", in: needed)
            #expect(unknown.0 == 64 && unknown.1.contains("low-stock, cleanup"), "\(unknown)")
            #expect(try await job("cleanup", "--at", "soon", in: needed).0 == 64)
            let missing = try await job("cleanup", in: [:])
            #expect(missing.0 == 78 && missing.1.contains("SYSTEM_DATABASE_URL"), "\(missing)")
            try await installation.execute("DROP TABLE weekly_reports")
            let failed = try await job("weekly-report", in: needed)
            #expect(failed.0 == 1 && failed.1.contains("failed: "), "\(failed)")
            #expect(failed.1.contains("42P01"), "\(failed)")
        }
    }
}

extension Installation {
    fileprivate func runs(_ job: String, by process: ServerProcess) async throws -> [String] {
        let runner = "%:\(process.processID)"
        return try await rows(
            "SELECT status FROM job_runs WHERE job = \(job) AND runner LIKE \(runner) ORDER BY started_at")
    }

    fileprivate func isLeading(_ metricsURL: String) async throws -> Bool {
        try await client.send(.get, metricsURL).text.contains("\npulsegate_jobs_leader 1\n")
    }
}
