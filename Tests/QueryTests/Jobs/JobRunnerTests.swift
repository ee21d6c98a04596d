import Foundation
import HTTPTypes
import Postgres
import Shared
import Support
import Testing

@testable import Query

@Suite struct JobRunnerTests {
    /// A Sunday noon: the weekly report and the cleanup are due.
    private static let noon = Timestamp(secondsSinceEpoch: 1_795_348_800)

    private static func on(_ body: @Sendable (JobGround) async throws -> Void) async throws {
        try await MigratedDatabase.withClone { database in
            try await body(JobGround(database: database, clock: SetClock(noon)))
        }
    }

    private static func counting(_ kind: JobKind, _ tally: Tally) -> TestJob {
        TestJob(kind: kind) { _ in tally.add() }
    }

    @Test(arguments: [false, true])
    func oneLeadsAndTheNextTakesOver(_ isStopped: Bool) async throws {
        try await Self.on { ground in
            let (first, second, ticks) = (MetricRegistry(), MetricRegistry(), Tally())
            let job = Self.counting(.cleanup, Tally())
            let tick = JobRunner.Tick(name: "tick", every: .milliseconds(5)) { ticks.add() }
            let one = try ground.start([job], ticks: [tick], metrics: first)
            try await eventually("the first leads") { JobGround.isLeading(first) }
            let two = try ground.start([job], ticks: [tick], metrics: second)
            try await eventually("it ran") { try await ground.runs() == ["cleanup 11-22 02 succeeded 1"] }
            try await eventually("it ticks") { ticks.count > 5 }
            #expect(!JobGround.isLeading(second))
            ground.clock.advance(seconds: 86_400)
            if isStopped {
                one.cancel()
                try await eventually("the second leads") { JobGround.isLeading(second) }
            } else {
                try await ground.endLeader()
            }
            try await eventually("it ran again") { try await ground.runs().last == "cleanup 11-23 02 succeeded 1" }
            #expect(try await ground.runs().count == 2)
            #expect(JobGround.isLeading(first) != JobGround.isLeading(second))
            for task in [one, two] { task.cancel() }
            _ = await (one.result, two.result)
            #expect(!JobGround.isLeading(first) && !JobGround.isLeading(second))
        }
    }

    /// What the leader was doing when it lost its connection is stopped, and done by the next.
    @Test func whatWasBegunIsFinishedByTheNext() async throws {
        try await Self.on { ground in
            let attempts = Tally()
            let job = TestJob(kind: .weeklyReport) { _ in
                if attempts.add() == 1 { try await Task.sleep(for: .seconds(600)) }
                return 7
            }
            let tasks = try (0..<2).map { _ in try ground.start([job]) }
            try await eventually("it began") { attempts.count == 1 }
            try await ground.endLeader()
            try await eventually("it was finished") {
                try await ground.runs().contains("weekly-report 11-22 00 succeeded 1")
            }
            // By whoever was first to say so.
            let first = try #require(try await ground.runs().first)
            #expect([JobRun.interrupted, JobRun.endedWithItsProcess].contains { first.contains("failed (\($0)) 1") })
            for task in tasks { task.cancel() }
            for task in tasks { _ = await task.result }
            #expect(attempts.count == 2)
        }
    }

    /// Of a leader that was killed a run stands that nobody will end.
    @Test func whatAKilledLeaderLeftIsFailedAndDoneAgain() async throws {
        try await Self.on { ground in
            try await ground.database.asSuperuser { connection in
                for (byHand, job) in [(false, "cleanup"), (true, "partitions")] {
                    try await connection.run(
                        """
                        INSERT INTO job_runs (id, job, due_at, started_at, by_hand, runner)
                        VALUES (\(UUID.v7()), \(job), \(Self.noon.adding(seconds: -36_000)), \(Self.noon), \(byHand), 'gone:1')
                        """)
                }
            }
            let task = try ground.start([Self.counting(.cleanup, Tally())])
            try await eventually("it was done again") { try await ground.runs().count == 3 }
            try await eventually("it ended") {
                try await ground.runs() == [
                    "cleanup 11-22 02 failed (ended with its process) 1", "cleanup 11-22 02 succeeded 1",
                    "partitions 11-22 02 running 1",
                ]
            }
            task.cancel()
            _ = await task.result
        }
    }

    @Test func eachIsDoneOnceHoweverManyRaceForIt() async throws {
        try await Self.on { ground in
            let (cleanup, report) = (Tally(), Tally())
            let jobs = [Self.counting(.cleanup, cleanup), Self.counting(.weeklyReport, report)]
            let tasks = try (0..<8).map { _ in try ground.start(jobs) }
            for day in 0..<8 {
                try await eventually("day \(day)") { cleanup.count == day + 1 && report.count == 1 + day / 7 }
                // Some leave, and others lose their connection, while nothing is being done.
                try await eventually("recorded") {
                    try await ground.runs().count { $0.contains("succeeded 1") } == day + 2 + day / 7
                }
                if day % 3 == 1 { tasks[day].cancel() }
                if day % 3 == 2 { try await ground.endLeader() }
                ground.clock.advance(seconds: day == 7 ? 0 : 86_400)
            }
            for task in tasks { task.cancel() }
            for task in tasks { _ = await task.result }
            #expect(cleanup.count == 8 && report.count == 2)
            #expect(try await ground.runs().allSatisfy { $0.hasSuffix("succeeded 1") })
        }
    }

    /// One that fails is tried again after a minute, one that hangs is stopped with its leader; neither keeps the others from running.
    @Test func whatFailsOrHangsHoldsUpNothing() async throws {
        struct Wrong: Error {}
        try await Self.on { ground in
            let (failures, runs, metrics) = (Tally(), Tally(), MetricRegistry())
            let task = try ground.start(
                [
                    TestJob(kind: .weeklyReport) { _ in
                        try await Task.sleep(for: .seconds(600))
                        return 0
                    },
                    TestJob(kind: .cleanup) { _ in
                        failures.add()
                        throw Wrong()
                    },
                    Self.counting(.lowStock, runs),
                ], metrics: metrics)
            for turn in 1...3 {
                try await eventually("turn \(turn)") { runs.count == turn }
                ground.clock.advance(seconds: 10)
            }
            try await eventually("it failed") { failures.count == 1 }
            ground.clock.advance(seconds: 60)
            try await eventually("it failed again") { failures.count == 2 }
            task.cancel()
            _ = await task.result
            let failed = metrics.counter(
                "pulsegate_job_runs_total", help: "Runs of jobs by how they ended.",
                labels: [("job", "cleanup"), ("outcome", "failed")])
            #expect(failed.value == 2)
            #expect(
                try await ground.runs().filter { $0.contains("failed") } == [
                    "cleanup 11-22 02 failed (Wrong) 2", "weekly-report 11-22 00 failed (interrupted) 1",
                ])
        }
    }

    @Test func membersSeeWhenJobsRanAndNothingElse() async throws {
        try await Testbed.run { bed in
            try await bed.database.asSuperuser { connection in
                for (number, status) in ["succeeded", "failed"].enumerated() {
                    let at = Self.noon.adding(seconds: number)
                    try await connection.run(
                        """
                        INSERT INTO job_runs (id, job, due_at, started_at, finished_at, status, runner, changed, error)
                        VALUES (\(UUID.v7()), 'cleanup', \(Self.noon), \(at), \(at), \(status), 'host:1', 5, 'secret words')
                        """)
                }
            }
            let token = try await bed.token(TwoTenants.viewer)
            let jobs = try await bed.get("/api/v1/jobs", as: token)
            #expect(jobs.data.texts("name") == JobKind.allCases.map(\.rawValue))
            let cleanup = try #require(jobs.data.first { $0["name"] as? String == "cleanup" })
            #expect((cleanup["last_run"] as? [String: Any])?["status"] as? String == "failed")
            #expect(cleanup["last_success_at"] as? String == "2026-11-22T12:00:00Z")
            #expect(jobs.data.first?["last_run"] is NSNull)
            let runs = try await bed.get("/api/v1/jobs/cleanup/runs?limit=1", as: token)
            #expect(runs.data.texts("status") == ["failed"])
            let cursor = try #require(runs.json["next_cursor"] as? String)
            let older = try await bed.get("/api/v1/jobs/cleanup/runs?limit=1&cursor=\(cursor)", as: token)
            #expect(older.data.texts("status") == ["succeeded"])
            for text in [jobs.text, runs.text, older.text] {
                #expect(!text.contains("secret words") && !text.contains("changed") && !text.contains("host:1"))
            }
            #expect(try await bed.get("/api/v1/jobs/nonsense/runs", as: token).status == .notFound)
        }
    }
}
