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
        _ body: @Sendable (MigratedDatabase, MetricGroupWriter) async throws -> Void
    ) async throws {
        try await MigratedDatabase.withClone { clone in
            try await clone.withPool(as: .ingest, maxConnections: 12) { database in
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
