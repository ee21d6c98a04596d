import Foundation
import Logging
import Postgres
import Shared
import Support
import Testing

@testable import Ingest

/// Of one owner's requests none overtakes another between its id and its commit.
@Suite struct OwnerOrderTests {
    private func record(_ tenant: Tenant, owner: Int32) -> MetricRecord {
        MetricRecord(
            tenant: tenant.id, owner: owner, key: UUID(), receivedAt: .now(),
            samples: SampleRun(series: [1], ts: [1], values: [Double(owner)]))
    }

    /// Writes `waiting` while another transaction holds the order of `held`: it must wait, and `free` must not.
    private func expectToWait(
        holding held: [Int32], maxLocked: Int = OwnerOrder.maxLocked, waiting: [Int32], free: [Int32]
    ) async throws {
        try await MigratedDatabase.withClone { clone in
            let tenant = try await clone.plantTenant("acme")
            try await clone.withPool(as: .ingest) { database in
                let writer = MetricGroupWriter(pool: database.pool, logger: .silent)
                let second = try await database.withTenant(tenant) { holder in
                    _ = try await holder.pipeline(
                        OwnerOrder.lock(held.map { record(tenant, owner: $0) }, maxLocked: maxLocked))
                    if !free.isEmpty {
                        let outcomes = await writer.write(free.map { record(tenant, owner: $0) })
                        #expect(try outcomes.map { try $0.get() }.allSatisfy { $0 == .stored })
                    }
                    let second = Task { await writer.write(waiting.map { record(tenant, owner: $0) }) }
                    while try await clone.asSuperuser({ try await $0.first(Self.waiters) }) != 1 {
                        try #require(!Task.isCancelled)
                    }
                    return second
                }
                let outcomes = try await second.value.map { try $0.get() }
                #expect(outcomes == waiting.map { _ in .stored })
            }
        }
    }

    private static let waiters: Statement<Int64> =
        """
        SELECT count(*) FROM pg_locks
         WHERE locktype = 'advisory' AND NOT granted
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        """

    @Test(.timeLimit(.minutes(1))) func aWriterWaitsForTheOwnersLastOne() async throws {
        try await expectToWait(holding: [2, 3], waiting: [1, 3], free: [1, 4])
    }

    /// The table of locks is finite.
    @Test(.timeLimit(.minutes(1))) func aGroupOfManyOwnersWaitsForAllAndAllForIt() async throws {
        try await expectToWait(holding: [1, 2], maxLocked: 1, waiting: [3], free: [])
        try await expectToWait(holding: [9999], waiting: Array(1...Int32(OwnerOrder.maxLocked) + 1), free: [1])
    }

    @Test func tenantsDoNotShareAnOrder() async throws {
        try await MigratedDatabase.withClone { clone in
            let (north, south) = (try await clone.plantTenant("north"), try await clone.plantTenant("south"))
            try await clone.withPool(as: .ingest) { database in
                let writer = MetricGroupWriter(pool: database.pool, logger: .silent)
                let outcomes = try await database.withTenant(north) { holder in
                    _ = try await holder.pipeline(OwnerOrder.lock([record(north, owner: 1)]))
                    return await writer.write([record(south, owner: 1)])
                }
                #expect(try outcomes.map { try $0.get() } == [.stored])
            }
        }
    }
}
