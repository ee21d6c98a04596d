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

/// Writes a group of records, of any tenants, in one transaction and one round trip. Sorted by tenant, owner and key, so
/// that two writers never wait for each other in a circle.
struct MetricGroupWriter: Sendable {
    typealias Outcome = Result<MetricOutcome, any Error>

    private let pool: PostgresPool
    private let logger: Logger

    init(pool: PostgresPool, logger: Logger) {
        self.pool = pool
        self.logger = logger
    }

    func write(_ group: [MetricRecord]) async -> [Outcome] {
        var outcomes = [Outcome?](repeating: nil, count: group.count)
        var pending = group.indices.sorted { group[$0].order < group[$1].order }
        while !pending.isEmpty {
            do {
                let stored = try await attempt(pending.map { group[$0] })
                for (index, isStored) in zip(pending, stored) {
                    outcomes[index] = .success(isStored ? .stored : .duplicate)
                }
                pending = []
            } catch let error as Culprit {
                logger.warning("record refused", metadata: ["sqlstate": "\(error.reason.sqlState ?? "")"])
                outcomes[pending.remove(at: error.position)] = .success(.refused)
            } catch {
                for index in pending { outcomes[index] = .failure(error) }
                pending = []
            }
        }
        return outcomes.map { $0 ?? .success(.refused) } // every place was filled above
    }

    /// The record that a failed group failed at.
    private struct Culprit: Error {
        let position: Int
        let reason: PostgresError
    }

    /// Whether each record was stored; false where its key was known.
    private func attempt(_ records: [MetricRecord]) async throws -> [Bool] {
        var statements = OwnerOrder.lock(records)
        var places: [Int] = []
        var tenant: TenantID?
        for record in records {
            if record.tenant != tenant {
                tenant = record.tenant
                statements.append(GroupTransaction.set(record.tenant))
            }
            places.append(statements.count)
            statements.append(record.append.erased)
        }
        do {
            let results = try await pool.transaction(pipeline: statements)
            return places.map { results[$0].affectedRows == 1 }
        } catch let error as PipelineError {
            guard error.underlying.isRefusal, let position = places.firstIndex(of: error.index) else {
                throw error.underlying
            }
            throw Culprit(position: position, reason: error.underlying)
        }
    }
}

extension MetricRecord {
    fileprivate var order: (Int32, Int32, UUID) { (tenant.rawValue, owner, key) }

    /// Key and log row together: the row is inserted when the key was not there, in the ring's current slot or the one
    /// before.
    fileprivate var append: Command {
        """
        WITH fresh AS (
            INSERT INTO batch_keys (tenant_id, owner_id, key, slot)
            SELECT \(tenant), \(owner), \(key), (SELECT slot FROM batch_key_ring)
             WHERE NOT EXISTS (SELECT FROM batch_keys
                                WHERE tenant_id = \(tenant) AND owner_id = \(owner) AND key = \(key)
                                  AND slot = ((SELECT slot FROM batch_key_ring) + 2) % 3)
            ON CONFLICT DO NOTHING RETURNING tenant_id, owner_id)
        INSERT INTO sample_log (tenant_id, owner_id, received_at, series, ts, value)
        SELECT tenant_id, owner_id, \(receivedAt), \(samples.series), \(samples.ts), \(samples.values) FROM fresh
        """
    }
}
