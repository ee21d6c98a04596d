import Foundation
import Postgres

extension Laboratory {
    /// Log and chunks at one moment.
    struct Stored: RowDecodable, Equatable, Sendable {
        let logRows: Int64
        let chunks: Int64
        let chunkedSamples: Int64
        /// Chunks on the disk, with their indexes and what is stored out of line.
        let chunkBytes: Int64
        /// Of these, the indexes, and what the rows take that are there: the rest is room for others.
        let indexBytes: Int64
        let rowBytes: Int64

        init(_ row: Postgres.Row) throws {
            logRows = try row["log_rows"]
            chunks = try row["chunks"]
            chunkedSamples = try row["samples"]
            chunkBytes = try row["bytes"]
            indexBytes = try row["index_bytes"]
            rowBytes = try row["row_bytes"]
        }
    }

    func stored() async throws -> Stored {
        try await withConnection { connection in
            let now: Stored? = try await connection.first(
                """
                SELECT (SELECT count(*) FROM sample_log) AS log_rows, count(*) AS chunks,
                       coalesce(sum(samples), 0)::bigint AS samples,
                       coalesce(sum(pg_column_size(c) + 28), 0)::bigint AS row_bytes,
                       (SELECT sum(pg_indexes_size(inhrelid))::bigint FROM pg_inherits
                         WHERE inhparent = 'sample_chunks'::regclass) AS index_bytes,
                       (SELECT sum(pg_total_relation_size(inhrelid))::bigint FROM pg_inherits
                         WHERE inhparent = 'sample_chunks'::regclass) AS bytes
                  FROM sample_chunks c
                """)
            guard let now else { throw BenchFailure(description: "sample_chunks answered nothing") }
            return now
        }
    }

    /// Lets compaction think that the log has waited long, and waits until it has emptied it; a minute at most.
    func emptyLog() async throws {
        try await withConnection { connection in
            try await connection.run("UPDATE sample_log SET received_at = received_at - interval '1 day'")
            for _ in 0..<1_200 {
                guard try await connection.first("SELECT EXISTS (SELECT FROM sample_log)") == true else { return }
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    func vacuum() async throws {
        _ = try await withConnection { try await $0.run("VACUUM sample_log, sample_chunks") }
    }

    /// Waits until compaction and merging have nothing left that is worth their while: nothing changes any more. Three minutes at
    /// most.
    @discardableResult
    func settled() async throws -> Stored {
        var before = try await stored()
        var quiet = 0
        for _ in 0..<36 where quiet < 3 {
            try await Task.sleep(for: .seconds(5))
            let now = try await stored()
            quiet = now == before ? quiet + 1 : 0
            before = now
        }
        return before
    }
}
