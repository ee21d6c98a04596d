import Algorithms
import Foundation
import Logging
import Postgres
import Shared

/// One accepted request on its way into the log.
struct MetricRecord: Sendable {
    let tenant: TenantID
    let owner: Int32
    /// Kept through every retry: the same key is stored once.
    let key: UUID
    let receivedAt: Timestamp
    let samples: SampleRun
}

enum MetricOutcome: Hashable, Sendable {
    case stored
    /// A batch with this key is there already.
    case duplicate
    /// PostgreSQL refused the record itself.
    case refused
}

/// Writes a group of records, of any tenants, in one transaction and one round trip: a statement a tenant. Sorted by tenant,
/// owner and key, so that two writers never wait for each other in a circle.
struct MetricGroupWriter: Sendable {
    typealias Outcome = Result<MetricOutcome, any Error>

    let pool: PostgresPool
    private let logger: Logger

    init(pool: PostgresPool, logger: Logger) {
        self.pool = pool
        self.logger = logger
    }

    func write(_ group: [MetricRecord]) async -> [Outcome] {
        // One that comes twice is written once, and shares what becomes of it.
        let places = Dictionary(grouping: group.indices, by: { group[$0].identity })
        var firsts = places.values.map { $0[0] }.sorted { group[$0].identity < group[$1].identity }
        var outcomes = [Outcome?](repeating: nil, count: group.count)
        var apart = false
        while !firsts.isEmpty {
            do {
                let fresh = try await attempt(firsts.map { group[$0] }, apart: apart)
                for index in firsts {
                    outcomes[index] = .success(fresh.contains(group[index].identity) ? .stored : .duplicate)
                }
                firsts = []
            } catch let error as Refusal {
                if let position = error.position {
                    logger.warning("record refused", metadata: ["sqlstate": "\(error.reason.sqlState ?? "")"])
                    outcomes[firsts.remove(at: position)] = .success(.refused)
                }
                apart = true
            } catch {
                for index in firsts { outcomes[index] = .failure(error) }
                firsts = []
            }
        }
        return group.indices.map { index in
            let first = places[group[index].identity]?.first ?? index
            // Every first place was filled above.
            let outcome = outcomes[first] ?? .success(.refused)
            return index == first ? outcome : outcome.map { $0 == .stored ? .duplicate : $0 }
        }
    }

    /// PostgreSQL refused a record of the group: the one at `position`, if each had a statement of its own.
    private struct Refusal: Error {
        let position: Int?
        let reason: PostgresError
    }

    /// The records whose keys were not known; they are stored.
    ///
    /// - Parameter apart: a statement for each record instead of each tenant, so that an error tells which is to blame.
    private func attempt(_ records: [MetricRecord], apart: Bool) async throws -> Set<MetricRecord.Identity> {
        let marker = MetricRecord.marker(of: records)
        do {
            return try await attempt(records, with: marker, apart: apart)
        } catch let error as PostgresError where error.commitUnknown {
            if let stored = try await settle(records, with: marker) { return stored }
            return try await attempt(records, with: .marker(of: records), apart: apart)
        }
    }

    private func attempt(
        _ records: [MetricRecord], with marker: MetricRecord, apart: Bool
    ) async throws -> Set<MetricRecord.Identity> {
        var statements = OwnerOrder.lock(records)
        var places: [(statement: Int, tenant: TenantID)] = []
        for (tenant, share) in records.chunked(on: \.tenant) {
            statements.append(GroupTransaction.set(tenant))
            for run in share.chunks(ofCount: apart ? 1 : share.count) {
                let first = places.isEmpty ? [marker] : []
                places.append((statements.count, tenant))
                statements.append(MetricRecord.append(first + run, of: tenant).erased)
            }
        }
        do {
            let results = try await pool.transaction(pipeline: statements)
            var fresh: Set<MetricRecord.Identity> = []
            for (statement, tenant) in places {
                for key in try results[statement].rows(as: StoredKey.self) {
                    fresh.insert(.init(tenant: tenant, owner: key.owner, key: key.key))
                }
            }
            return fresh
        } catch let error as PipelineError {
            guard error.underlying.isRefusal, let place = places.firstIndex(where: { $0.statement == error.index })
            else { throw error.underlying }
            throw Refusal(position: apart ? place : nil, reason: error.underlying)
        }
    }
}

struct StoredKey: RowDecodable {
    let owner: Int32
    let key: UUID

    init(_ row: Row) throws {
        owner = try row["owner_id"]
        key = try row["key"]
    }
}

extension MetricRecord {
    /// What makes two records the same one.
    struct Identity: Hashable, Comparable {
        let tenant: TenantID
        let owner: Int32
        let key: UUID

        static func < (one: Self, other: Self) -> Bool {
            (one.tenant.rawValue, one.owner, one.key) < (other.tenant.rawValue, other.owner, other.key)
        }
    }

    var identity: Identity { Identity(tenant: tenant, owner: owner, key: key) }

    /// Keys and log rows of one tenant's records together: a row is inserted when its key was not there, in the ring's current
    /// slot or the one before, and it has samples. The samples of all lie one after the other, and each record has its part
    /// of them: with a statement for each PostgreSQL takes a third longer.
    ///
    /// `IS TRUE` keeps the planner from turning the look into `fresh` into a join, whose nested loop would go through all
    /// of it for each record.
    static func append(
        _ records: [MetricRecord], of tenant: TenantID
    ) -> Statement<StoredKey> {
        let (samples, parts) = (SampleRun(joining: records.map(\.samples)), ArrayParts(records.map(\.samples.count)))
        return """
            WITH incoming AS MATERIALIZED (
                SELECT * FROM unnest(\(records.map(\.owner)), \(records.map(\.key)), \(records.map(\.receivedAt)),
                                     \(parts.firsts), \(parts.lasts)) AS i (owner_id, key, received_at, first, last)
            ), fresh AS (
                INSERT INTO batch_keys (tenant_id, owner_id, key, slot)
                SELECT \(tenant), owner_id, key, (SELECT slot FROM batch_key_ring) FROM incoming
                 WHERE NOT EXISTS (SELECT FROM batch_keys b
                                    WHERE b.tenant_id = \(tenant) AND b.owner_id = incoming.owner_id
                                      AND b.key = incoming.key
                                      AND b.slot = ((SELECT slot FROM batch_key_ring) + 2) % 3)
                ON CONFLICT DO NOTHING RETURNING owner_id, key
            ), stored AS (
                INSERT INTO sample_log (tenant_id, owner_id, received_at, series, ts, value)
                SELECT \(tenant), owner_id, received_at, (\(samples.series))[first:last], (\(samples.ts))[first:last],
                       (\(samples.values))[first:last]
                  FROM incoming WHERE first <= last AND ((owner_id, key) IN (SELECT owner_id, key FROM fresh)) IS TRUE
            )
            SELECT owner_id, key FROM fresh
            """
    }
}
