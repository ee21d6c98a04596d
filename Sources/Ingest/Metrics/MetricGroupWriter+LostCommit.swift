import Algorithms
import Foundation
import Postgres
import Shared

/// What became of a group when the connection broke between COMMIT and its answer. With each group goes the key of a batch that nobody
/// sent: it is there if the group is, and the group's other new keys were written by the same transaction. The ring of keys forgets
/// it with the others.
extension MetricGroupWriter {
    /// The records that the group stored; nil when it was not committed, and can't be any more.
    ///
    /// Waits for a server that is still busy with it: a key can't be written a second time before it is decided what
    /// becomes of the first.
    ///
    /// - Throws: `PostgresError` when that can't be found out either.
    func settle(_ records: [MetricRecord], with marker: MetricRecord) async throws -> Set<MetricRecord.Identity>? {
        let results = try await pool.transaction(pipeline: [
            GroupTransaction.set(marker.tenant), MetricRecord.append([marker], of: marker.tenant).erased,
            Self.writer(of: marker).erased,
        ])
        guard try results[1].rows(as: StoredKey.self).isEmpty, let writer = try results[2].rows(as: String.self).first
        else { return nil }
        let shares = records.chunked(on: \.tenant)
        let found = try await pool.transaction(
            pipeline: shares.flatMap { tenant, share in
                [GroupTransaction.set(tenant), Self.keys(of: share, by: writer, tenant).erased]
            })
        var stored: Set<MetricRecord.Identity> = []
        for (index, share) in shares.enumerated() {
            for key in try found[2 * index + 1].rows(as: StoredKey.self) {
                stored.insert(.init(tenant: share.0, owner: key.owner, key: key.key))
            }
        }
        return stored
    }

    /// The transaction that wrote the marker.
    private static func writer(of marker: MetricRecord) -> Statement<String> {
        """
        SELECT xmin::text FROM batch_keys
         WHERE tenant_id = \(marker.tenant) AND owner_id = \(marker.owner) AND key = \(marker.key)
        """
    }

    private static func keys(
        of records: ArraySlice<MetricRecord>, by writer: String, _ tenant: TenantID
    ) -> Statement<StoredKey> {
        """
        SELECT k.owner_id, k.key
          FROM unnest(\(records.map(\.owner)), \(records.map(\.key))) AS w (owner_id, key),
               LATERAL (SELECT * FROM batch_keys k
                         WHERE k.tenant_id = \(tenant) AND k.owner_id = w.owner_id AND k.key = w.key
                           AND k.xmin::text = \(writer) LIMIT 1) k
        """
    }
}

extension MetricRecord {
    /// A key of nobody's batch. Owner ids begin at 1.
    static func marker(of group: [MetricRecord]) -> MetricRecord {
        MetricRecord(tenant: group[0].tenant, owner: 0, key: .v7(), receivedAt: .now(), samples: SampleRun())
    }
}
