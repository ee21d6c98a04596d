import Foundation
import Logging
import Postgres
import Shared
import Support
import Testing

@testable import Ingest

/// Records into a real database: keys that are known, groups of several tenants, the ring of keys.
@Suite
struct MetricGroupWriterTests {
    private func record(_ tenant: Tenant, owner: Int32 = 1, key: UUID = UUID(), ts: Int64 = 1_000_000) -> MetricRecord {
        MetricRecord(
            tenant: tenant.id, owner: owner, key: key, receivedAt: .now(),
            samples: SampleRun(series: [1], ts: [ts], values: [1]))
    }

    private func withWriter(
        through host: String? = nil, _ body: @Sendable (MigratedDatabase, MetricGroupWriter) async throws -> Void
    ) async throws {
        try await MigratedDatabase.withClone { clone in
            try await clone.withPool(as: .ingest, maxConnections: 12, through: host) { database in
                try await body(clone, MetricGroupWriter(pool: database.pool, logger: .silent))
            }
        }
    }

    private func outcomes(_ results: [MetricGroupWriter.Outcome]) throws -> [MetricOutcome] {
        try results.map { try $0.get() }
    }

    @Test func aKnownKeyIsStoredOnceAlsoWithinAGroup() async throws {
        try await withWriter { clone, writer in
            let tenant = try await clone.plantTenant("acme")
            let key = UUID()
            let group = [record(tenant, key: key), record(tenant), record(tenant, key: key)]
            let first = try outcomes(await writer.write(group))
            #expect(first.filter { $0 == .stored }.count == 2)
            #expect(first[1] == .stored)
            #expect(try outcomes(await writer.write(group)) == [.duplicate, .duplicate, .duplicate])
        }
    }

    /// The answer to COMMIT is lost: the writer finds out what became of the group, and writes it when nothing did.
    @Test(arguments: [StallingProxy.Break.before, .after])
    func aLostConnectionLeavesNoDoubt(_ when: StallingProxy.Break) async throws {
        try await StallingProxy.withServer { proxy, host in
            try await withWriter(through: host) { clone, writer in
                let (one, two) = (try await clone.plantTenant("one"), try await clone.plantTenant("two"))
                let known = [record(one), record(two)]
                try await clone.withPool(as: .ingest) { direct in
                    let before = MetricGroupWriter(pool: direct.pool, logger: .silent)
                    let outcomes = try outcomes(await before.write(known))
                    #expect(outcomes == [.stored, .stored])
                }
                proxy.breakOnce(when, "COMMIT")
                let results = await writer.write([record(one), known[0], record(one, owner: 2), known[1], record(two)])
                #expect(try outcomes(results) == [.stored, .duplicate, .stored, .duplicate, .stored])
                let rows: [Int64] = try await clone.asSuperuser { try await $0.all("SELECT count(*) FROM sample_log") }
                #expect(rows == [5])
            }
        }
    }

    @Test func oneGroupServesSeveralTenants() async throws {
        try await withWriter { clone, writer in
            var tenants: [Tenant] = []
            for slug in ["one", "two", "three"] { tenants.append(try await clone.plantTenant(slug)) }
            let key = UUID()
            let group = (0..<30).map { record(tenants[$0 % 3], owner: Int32($0 % 7), key: $0 < 3 ? key : UUID()) }
            #expect(try outcomes(await writer.write(group)).allSatisfy { $0 == .stored }, "a key is a tenant's own")
            let rows: [Int64] = try await clone.asSuperuser {
                try await $0.all("SELECT count(*) FROM sample_log GROUP BY tenant_id")
            }
            #expect(rows == [10, 10, 10])
        }
    }

    /// PostgreSQL knows no time so early and refuses the statement. Its neighbours, of its tenant and of others, are not to
    /// blame.
    @Test func onlyTheCulpritIsRefused() async throws {
        try await withWriter { clone, writer in
            let (one, two) = (try await clone.plantTenant("one"), try await clone.plantTenant("two"))
            func poisoned(_ tenant: Tenant, key: UUID) -> MetricRecord {
                MetricRecord(
                    tenant: tenant.id, owner: 1, key: key, receivedAt: Timestamp(microseconds: .min / 30),
                    samples: SampleRun(series: [1], ts: [1], values: [1]))
            }
            let culprit = UUID()
            let group = [
                record(one), poisoned(one, key: culprit), record(one), record(two), poisoned(two, key: UUID()),
                poisoned(one, key: culprit), record(two, owner: 2),
            ]
            let expected: [MetricOutcome] = [.stored, .refused, .stored, .stored, .refused, .refused, .stored]
            #expect(try outcomes(await writer.write(group)) == expected)
            let rows: [Int64] = try await clone.asSuperuser {
                try await $0.all("SELECT count(*) FROM sample_log GROUP BY tenant_id")
            }
            #expect(rows == [2, 2])
        }
    }

    /// Each request of a group gets its own samples back out of the group's arrays.
    @Test func samplesStayWithTheirRequests() async throws {
        try await withWriter { clone, writer in
            let tenant = try await clone.plantTenant("acme")
            var group: [MetricRecord] = []
            for owner in Int32(1)...5 {
                var run = SampleRun()
                for place in 0..<owner {
                    run.append(series: owner * 10 + place, ts: Int64(owner * 100 + place), value: Double(place) / 2)
                }
                group.append(
                    MetricRecord(tenant: tenant.id, owner: owner, key: UUID(), receivedAt: .now(), samples: run))
            }
            #expect(try outcomes(await writer.write(group.shuffled())).allSatisfy { $0 == .stored })
            let rows: [String] = try await clone.asSuperuser {
                try await $0.all(
                    "SELECT owner_id || ' ' || series::text || ts::text || value::text FROM sample_log ORDER BY owner_id"
                )
            }
            #expect(
                rows == [
                    "1 {10}{100}{0}", "2 {20,21}{200,201}{0,0.5}", "3 {30,31,32}{300,301,302}{0,0.5,1}",
                    "4 {40,41,42,43}{400,401,402,403}{0,0.5,1,1.5}",
                    "5 {50,51,52,53,54}{500,501,502,503,504}{0,0.5,1,1.5,2}",
                ])
        }
    }

    @Test func racingResendsAreStoredOnce() async throws {
        try await withWriter { clone, writer in
            let tenant = try await clone.plantTenant("acme")
            let records = (0..<40).map { record(tenant, owner: Int32($0 % 4), ts: Int64($0)) }
            let all = try await withThrowingTaskGroup(of: [MetricOutcome].self) { group in
                for _ in 0..<8 {
                    group.addTask { try await writer.write(records.shuffled()).map { try $0.get() } }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(all.filter { $0 == .stored }.count == 40)
            #expect(all.filter { $0 == .duplicate }.count == 7 * 40)
        }
    }

    /// A key is known in its slot and in the one before; then the ring has come round and it is forgotten.
    @Test func keysAreKnownForAnHourAtLeast() async throws {
        try await withWriter { clone, writer in
            let tenant = try await clone.plantTenant("acme")
            let old = record(tenant)
            #expect(try outcomes(await writer.write([old])) == [.stored])
            for expected in [MetricOutcome.duplicate, .stored] {
                try await clone.asSuperuser { connection in
                    try await connection.run("UPDATE batch_key_ring SET turned_at = now() - interval '61 minutes'")
                }
                let turned = try await clone.withPool(as: .system) { system in
                    let first: [Bool] = try await system.lookUp("SELECT turn_batch_key_ring()")
                    let again: [Bool] = try await system.lookUp("SELECT turn_batch_key_ring()")
                    return first + again
                }
                #expect(turned == [true, false], "it turns when its hour is over, and not again")
                #expect(try outcomes(await writer.write([old])) == [expected])
            }
        }
    }

    @Test func aDatabaseThatIsAwayIsToldAsSuch() async throws {
        let configuration = ConnectionConfiguration(url: "postgresql://nobody@127.0.0.1:1/nothing")
        let pool = PostgresPool(
            PoolConfiguration(connection: configuration, acquireTimeout: .milliseconds(100)), logger: .silent)
        let record = MetricRecord(
            tenant: TenantID(1), owner: 1, key: UUID(), receivedAt: .now(),
            samples: SampleRun(series: [1], ts: [1], values: [1]))
        let results = await MetricGroupWriter(pool: pool, logger: .silent).write([record, record])
        #expect(results.count == 2)
        for result in results { #expect(throws: PostgresError.self) { try result.get() } }
        await pool.close()
    }
}
