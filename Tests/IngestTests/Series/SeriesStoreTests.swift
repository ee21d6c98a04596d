import Postgres
import Shared
import Support
import Testing

@testable import Ingest

@Suite
struct SeriesStoreTests {
    private func identity(_ metric: String, _ labels: [String: String] = [:]) -> SeriesIdentity {
        SeriesIdentity(metric: metric, labels: labels.map { .init(key: $0.key, value: $0.value) })
    }

    @Test func aSeriesIsMadeOnceHoweverManyAskForIt() async throws {
        try await MigratedDatabase.withClone { clone in
            let tenant = try await clone.plantTenant("acme")
            try await clone.withPool(as: .ingest, maxConnections: 10) { database in
                let store = SeriesStore(database: database)
                let wanted: Set = [
                    identity("a"), identity("b", ["till": "3", "lane": "1"]), identity("b", ["till": "4"]),
                ]
                let answers = try await withThrowingTaskGroup(of: [SeriesIdentity: Int32].self) { group in
                    for _ in 0..<8 { group.addTask { try await store.resolve(wanted, owner: 1, of: tenant) } }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(Set(answers).count == 1, "everybody gets the same ids")
                #expect(answers.first?.count == 3)
            }
            let counts: [Int64] = try await clone.asSuperuser {
                try await $0.all(
                    """
                    SELECT unnest(ARRAY[(SELECT count(*) FROM series), (SELECT count FROM series_counts),
                                        (SELECT count(*) FROM series_labels)])
                    """)
            }
            #expect(counts == [3, 3, 3])
        }
    }

    /// The plan's bound holds exactly; what is there already is always found.
    @Test func pastThePlansBoundNoneAreMade() async throws {
        try await MigratedDatabase.withClone { clone in
            let tenant = try await clone.plantTenant("acme", plan: .basic)
            try await clone.withPool(as: .ingest) { database in
                let store = SeriesStore(database: database)
                let first = try await store.resolve([identity("a")], owner: 1, of: tenant)
                try await clone.asSuperuser { connection in
                    try await connection.run("UPDATE series_counts SET count = \(tenant.plan.maxSeries - 1)")
                }
                let more = try await store.resolve(
                    [identity("a"), identity("b"), identity("c")], owner: 1, of: tenant)
                #expect(more.count == 2, "one that was there, and the last one that there is room for")
                #expect(more[identity("a")] == first[identity("a")])
                #expect(try await store.resolve([identity("d")], owner: 2, of: tenant).isEmpty)
            }
        }
    }
}
