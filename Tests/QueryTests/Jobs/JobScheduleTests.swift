import Postgres
import Shared
import Testing

@testable import Query

@Suite struct JobScheduleTests {
    /// Schedule, now, what it is due for, and when it is due next.
    @Test(arguments: [
        (JobSchedule.daily(hour: 2), "2026-11-22T02:00:00Z", "2026-11-22T02:00:00Z", "2026-11-23T02:00:00Z"),
        (.daily(hour: 2), "2026-11-22T01:59:59.999999Z", "2026-11-21T02:00:00Z", "2026-11-22T02:00:00Z"),
        (.daily(hour: 2), "2028-03-01T01:00:00Z", "2028-02-29T02:00:00Z", "2028-03-01T02:00:00Z"),
        (.daily(hour: 2), "2027-03-01T01:00:00Z", "2027-02-28T02:00:00Z", "2027-03-01T02:00:00Z"),
        (.daily(hour: 2), "2027-01-01T00:00:00Z", "2026-12-31T02:00:00Z", "2027-01-01T02:00:00Z"),
        // Where summer time begins, it is 02:00 UTC all the same.
        (.daily(hour: 2), "2026-03-29T02:30:00Z", "2026-03-29T02:00:00Z", "2026-03-30T02:00:00Z"),
        (.weekly, "2026-11-22T00:00:00Z", "2026-11-22T00:00:00Z", "2026-11-29T00:00:00Z"),
        (.weekly, "2026-11-21T23:59:59.999999Z", "2026-11-15T00:00:00Z", "2026-11-22T00:00:00Z"),
        (.weekly, "2027-01-01T12:00:00Z", "2026-12-27T00:00:00Z", "2027-01-03T00:00:00Z"),
        (.weekly, "2028-03-04T12:00:00Z", "2028-02-27T00:00:00Z", "2028-03-05T00:00:00Z"),
        (.weekly, "1969-12-31T12:00:00Z", "1969-12-28T00:00:00Z", "1970-01-04T00:00:00Z"),
        (.every(.seconds(10)), "2026-11-22T00:00:09.999999Z", "2026-11-22T00:00:00Z", "2026-11-22T00:00:10Z"),
        (.every(.milliseconds(200)), "2026-11-22T00:00:00.399Z", "2026-11-22T00:00:00.2Z", "2026-11-22T00:00:00.4Z"),
        (.every(.seconds(3_600)), "2026-12-31T23:59:59Z", "2026-12-31T23:00:00Z", "2027-01-01T00:00:00Z"),
    ])
    func isDue(_ schedule: JobSchedule, _ now: String, _ due: String, _ next: String) throws {
        let now = try #require(Timestamp(rfc3339: now))
        #expect(schedule.due(at: now) == Timestamp(rfc3339: due), "\(schedule.due(at: now).rfc3339)")
        #expect(schedule.next(after: now) == Timestamp(rfc3339: next), "\(schedule.next(after: now).rfc3339)")
    }

    @Test func isToldInWords() {
        #expect(JobKind.cleanup.schedule(.seconds(10)).words == "daily at 02:00 UTC")
        #expect(JobKind.weeklyReport.schedule(.seconds(10)).words == "Sundays at 00:00 UTC")
        #expect(JobKind.partitions.schedule(.seconds(10)).words == "every hour")
        #expect(JobKind.lowStock.schedule(.seconds(10)).words == "every 10 s")
        #expect(JobKind.noShows.schedule(.milliseconds(200)).words == "every 0.2 s")
    }

    /// What was done for an instant is not due for it again; what failed is, after a while.
    @Test func whatWasDoneIsNotDue() throws {
        let sunday = try #require(Timestamp(rfc3339: "2026-11-22T00:00:00Z"))
        let monday = sunday.adding(seconds: 86_400)
        var record = JobRecord()
        #expect(record.due(at: monday, .weekly) == sunday, "one that was missed is made up for")
        record.note(.failed("database: timeout"), for: sunday, at: monday)
        #expect(record.due(at: monday.adding(seconds: 59), .weekly) == nil)
        #expect(record.due(at: monday.adding(seconds: 60), .weekly) == sunday)
        record.note(.failed(JobRun.interrupted), for: sunday, at: monday)
        #expect(record.failure?.attempts == 2)
        #expect(record.due(at: monday, .weekly) == nil, "it may be the job that ends its processes")
        record.note(.succeeded(1), for: sunday, at: monday)
        #expect(record.due(at: monday, .weekly) == nil)
        #expect(record.due(at: sunday.adding(seconds: 7 * 86_400), .weekly) == sunday.adding(seconds: 7 * 86_400))
        record.note(.failed(JobRun.interrupted), for: sunday.adding(seconds: 7 * 86_400), at: monday)
        #expect(
            record.due(at: sunday.adding(seconds: 7 * 86_400), .weekly) != nil, "its process ended: the next takes over"
        )
        var frequent = JobRecord()
        frequent.note(.failed("x"), for: sunday, at: sunday)
        #expect(frequent.due(at: sunday.adding(seconds: 9), .every(.seconds(10))) == nil)
        #expect(frequent.due(at: sunday.adding(seconds: 10), .every(.seconds(10))) == sunday.adding(seconds: 10))
    }

    @Test func aCommandLineIsRead() throws {
        let wish = try JobWish(["low-stock", "--at", "2026-11-22T00:00:00Z", "--log-level", "debug"])
        #expect(wish.job == .lowStock && wish.time == Timestamp(rfc3339: "2026-11-22T00:00:00Z"))
        #expect(wish.settings == ["--log-level", "debug"])
        #expect(try JobWish([]).job == nil)
        #expect(throws: JobWish.Fault.self) { try JobWish(["nonsense"]) }
        #expect(throws: JobWish.Fault.self) { try JobWish(["cleanup", "--at", "soon"]) }
        #expect(throws: JobWish.Fault.self) { try JobWish(["cleanup", "--at"]) }
    }
}
