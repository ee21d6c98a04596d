import Foundation
import Postgres
import Shared

/// Finds and makes rows of `series`, within the tenant's bound.
struct SeriesStore: Sendable {
    private struct Known: RowDecodable {
        let id: Int32
        let digest: UUID

        init(_ row: Row) throws {
            id = try row["id"]
            digest = try row["identity"]
        }
    }

    private let database: Database

    init(database: Database) {
        self.database = database
    }

    /// The ids of `wanted`, each made if it was not there. Past the plan's `max_series` the rest is left out.
    ///
    /// Looked up first without a lock, since nearly always all are there; `ON CONFLICT` alone would burn an id each time.
    func resolve(_ wanted: Set<SeriesIdentity>, owner: Int32, of tenant: Tenant) async throws -> [SeriesIdentity: Int32]
    {
        let byDigest = Dictionary(wanted.map { ($0.digest, $0) }, uniquingKeysWith: { first, _ in first })
        let known = try await database.read(tenant, Self.known(Array(byDigest.keys), owner, tenant.id))
        var missing = byDigest
        for series in known { missing[series.digest] = nil }
        let found = known + (missing.isEmpty ? [] : try await create(missing, owner: owner, of: tenant))
        return Dictionary(
            found.compactMap { series in byDigest[series.digest].map { ($0, series.id) } },
            uniquingKeysWith: { first, _ in first })
    }

    /// The count's row is locked first, so a tenant's makers of series follow each other and the bound is exact; what is there is
    /// looked up after that, in a statement of its own. Two round trips under the lock.
    private func create(
        _ missing: [UUID: SeriesIdentity], owner: Int32, of tenant: Tenant
    ) async throws -> [Known] {
        try await database.withTenant(tenant) { tx in
            let results = try await tx.pipeline([
                ("INSERT INTO series_counts (tenant_id) VALUES (\(tenant.id)) ON CONFLICT DO NOTHING" as Command)
                    .erased,
                ("SELECT count FROM series_counts WHERE tenant_id = \(tenant.id) FOR UPDATE" as Statement<Int32>)
                    .erased,
                Self.known(Array(missing.keys), owner, tenant.id).erased,
            ])
            let count = try results[1].rows(as: Int32.self).first ?? 0
            let known = try results[2].rows(as: Known.self)
            let there = Set(known.map(\.digest))
            let room = Int(max(0, tenant.plan.maxSeries - count))
            let new = missing.filter { !there.contains($0.key) }.sorted { $0.key < $1.key }.prefix(room)
            return new.isEmpty
                ? known : known + (try await tx.all(Self.insert(new.map { ($0.key, $0.value) }, owner, tenant.id)))
        }
    }

    private static func known(_ digests: [UUID], _ owner: Int32, _ tenant: TenantID) -> Statement<Known> {
        """
        SELECT id, identity FROM series
         WHERE tenant_id = \(tenant) AND owner_id = \(owner) AND identity = ANY (\(digests))
        """
    }

    /// Makes the series, their labels and the new count in one statement.
    private static func insert(_ new: [(digest: UUID, series: SeriesIdentity)], _ owner: Int32, _ tenant: TenantID)
        -> Statement<Known>
    {
        """
        WITH made AS (
            INSERT INTO series (tenant_id, owner_id, metric, labels, identity)
            SELECT \(tenant), \(owner), * FROM unnest(\(new.map(\.series.metric)),
                \(new.map { JSONB($0.series.labelsJSON) }), \(new.map(\.digest)))
            RETURNING id, identity, labels
        ), labelled AS (
            INSERT INTO series_labels (tenant_id, key, value, series_id)
            SELECT \(tenant), l.key, l.value, made.id FROM made, LATERAL jsonb_each_text(made.labels) AS l (key, value)
        ), counted AS (
            UPDATE series_counts SET count = count + (SELECT count(*) FROM made) WHERE tenant_id = \(tenant)
        )
        SELECT id, identity FROM made
        """
    }
}
