import Foundation
import Postgres
import Shared

/// Years of data in minutes: chunks and uplinks inserted by SQL, as compaction and ingest would have left them, for the series and
/// sensors that then send. The tables keep their indexes and constraints meanwhile.
struct StoredData: Sendable {
    let laboratory: Laboratory
    let samples: Int
    let uplinks: Int

    /// A chunk's samples, one a minute.
    private static let samplesInChunk = 700
    /// Chunks of a series in a period of 30 days: a chunk stays within one.
    private static let chunksInPeriod = 61
    private static let period: Int64 = 2_592_000_000_000

    /// Every series of the stores and every sensor must have sent before. Stop ingest meanwhile.
    func fill() async throws {
        try await makePool()
        async let even: Void = fillChunks(remainder: 0)
        async let odd: Void = fillChunks(remainder: 1)
        _ = try await (even, odd)
        async let rows: Void = fillUplinks()
        async let keys: Void = fillUplinkKeys()
        _ = try await (rows, keys)
        try await laboratory.withConnection { connection in
            for command in ["VACUUM (ANALYZE) sample_chunks", "VACUUM (ANALYZE) uplinks"] as [Command] {
                try await connection.run(command)
            }
            try await connection.run("VACUUM (ANALYZE) uplink_keys")
            try await connection.run("CHECKPOINT")
        }
    }

    /// Bytes of the whole database.
    func databaseBytes() async throws -> Int {
        try await laboratory.withConnection { connection in
            let bytes: Int64? = try await connection.first("SELECT pg_database_size(current_database())")
            return Int(bytes ?? 0)
        }
    }

    /// 300 chunks' random values of two decimals.
    private func makePool() async throws {
        let values = (0..<300).map { _ in
            PackedIntegers((0..<Self.samplesInChunk).map { _ in .random(in: 1_000...10_000) }, scale: 2).bytes
        }
        try await laboratory.withConnection { connection in
            try await connection.run("CREATE TABLE bench_pool (id bigint PRIMARY KEY, value bytea NOT NULL)")
            try await connection.run(
                "INSERT INTO bench_pool SELECT n - 1, v FROM unnest(\(values)) WITH ORDINALITY AS u (v, n)")
            try await connection.run("ANALYZE bench_pool")
        }
    }

    /// Every second chunk of each series, in the order of time, ending before the period in which the runs' samples begin.
    private func fillChunks(remainder: Int64) async throws {
        let steps = PackedIntegers(Array(repeating: 60_000, count: Self.samplesInChunk - 1)).bytes
        let beforeRuns = Int64.tenSecondsOf(daysAgo: 25) * 1_000 / Self.period - 1
        try await laboratory.withConnection { connection in
            let stores: Int64? = try await connection.first(
                "SELECT count(*) FROM series WHERE metric = 'pos.sales_total'")
            let chunks = Int64(samples / Self.samplesInChunk) / max(1, stores ?? 1)
            for chunk in stride(from: remainder, to: chunks, by: 2) {
                let period = beforeRuns - chunk / Int64(Self.chunksInPeriod)
                let start = period * Self.period + chunk % Int64(Self.chunksInPeriod) * 42_000_000_000
                try await connection.run(
                    """
                    INSERT INTO sample_chunks (tenant_id, series_id, starts_at, ends_at, unit, samples, packed_steps,
                                               packed_values)
                    SELECT s.tenant_id, s.id, \(start), \(start + 41_940_000_000), 1000, \(Int32(Self.samplesInChunk)), \(steps),
                           p.value
                      FROM series s JOIN bench_pool p ON p.id = (s.id + \(chunk) * 7) % 300
                     WHERE s.metric = 'pos.sales_total'
                    """)
            }
        }
    }

    /// Uplinks every ten minutes until three days ago, with frame counters below those that the runs send.
    private func fillUplinks() async throws {
        try await eachRound { round, rounds in
            """
            INSERT INTO uplinks (tenant_id, owner_id, received_at, epoch, fcnt, arrived_at, clock_used, f_port, dev_addr, rssi,
                                 snr, gateway_id, gateways, payload, integration_id)
            SELECT tenant_id, owner_id, \(Self.time(round, rounds)), 0, \(Int64(Laboratory.firstFrame) - rounds + round),
                   \(Self.time(round, rounds)), false, 2, '26011bda', -97, 7.2, 'gw-1', '{gw-1}',
                   '{"occupied": true, "temperature": 21.4, "battery": 97}', \(laboratory.integrationID)::text::uuid
              FROM devices
            """
        }
    }

    private func fillUplinkKeys() async throws {
        try await eachRound { round, rounds in
            """
            INSERT INTO uplink_keys (tenant_id, owner_id, epoch, fcnt, f_port, payload_hash, network_at, received_at)
            SELECT tenant_id, owner_id, 0, \(Int64(Laboratory.firstFrame) - rounds + round), 2, gen_random_uuid(),
                   \(Self.time(round, rounds)), \(Self.time(round, rounds))
              FROM devices
            """
        }
    }

    private func eachRound(_ insert: (_ round: Int64, _ rounds: Int64) -> Command) async throws {
        let rounds = Int64(uplinks / max(1, laboratory.sensors))
        try await laboratory.withConnection { connection in
            for round in 0..<rounds { try await connection.run(insert(round, rounds)) }
        }
    }

    private static func time(_ round: Int64, _ rounds: Int64) -> Timestamp {
        Timestamp(microseconds: Int64.tenSecondsOf(daysAgo: 3) * 1_000 - (rounds - round) * 600_000_000)
    }
}
