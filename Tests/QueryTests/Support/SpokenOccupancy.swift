import Foundation
import Postgres
import Shared
import Support

/// Samples of a device's field, as ingest writes them.
struct SpokenOccupancy: Sendable {
    let owner: Int32
    var field = "occupied"
    var tenant = "north"

    /// Into the log: a request for each.
    func say(_ readings: [(at: Timestamp, value: Double)], in database: MigratedDatabase) async throws {
        let series = try await makeSeries(in: database)
        try await database.asSuperuser { connection in
            for reading in readings {
                try await connection.run(
                    """
                    INSERT INTO sample_log (tenant_id, owner_id, series, ts, value)
                    SELECT id, \(owner), \([series]), \([reading.at.microseconds]), \([reading.value])
                      FROM tenants WHERE slug = \(tenant)
                    """)
            }
        }
    }

    /// Into chunks, as compaction does.
    func keep(_ readings: [(at: Timestamp, value: Double)], in database: MigratedDatabase) async throws {
        let series = try await makeSeries(in: database)
        let chunks = SampleChunk.make(ts: readings.map(\.at.microseconds), values: readings.map(\.value))
        try await database.asSuperuser { connection in
            for chunk in chunks {
                var ts: [Int64] = []
                chunk.forEachSample { at, _ in ts.append(at) }
                let steps = zip(ts.dropFirst(), ts).map { Int32(($0 - $1) / Int64(chunk.unit)) }
                try await connection.run(
                    """
                    INSERT INTO sample_chunks (tenant_id, series_id, starts_at, ends_at, unit, steps, value, samples)
                    SELECT id, \(series), \(chunk.startsAt), \(chunk.endsAt), \(chunk.unit), \(steps), \(chunk.values),
                           \(Int32(chunk.values.count))
                      FROM tenants WHERE slug = \(tenant)
                    """)
            }
        }
    }

    private func makeSeries(in database: MigratedDatabase) async throws -> Int32 {
        let id: Int32? = try await database.asSuperuser { connection in
            try await connection.run(
                """
                INSERT INTO series (tenant_id, owner_id, metric, identity)
                SELECT id, \(owner), \(field), md5(\(field))::uuid FROM tenants WHERE slug = \(tenant)
                ON CONFLICT DO NOTHING
                """)
            return try await connection.first("SELECT id FROM series WHERE owner_id = \(owner) AND metric = \(field)")
        }
        guard let id else { throw PostgresError(kind: .decoding, message: "no series") }
        return id
    }
}
