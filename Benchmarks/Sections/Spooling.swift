import Foundation
import Postgres

extension Suite {
    /// (k) The database refuses connections: requests go to the spool. Then it takes them again: the spool drains. Beside storing them
    /// at once.
    func spooling() async throws -> [Row] {
        let batches = try await withLaboratory { laboratory in
            let shapes = [25, 12].map { SampleShape.regular(samplesEach: 100, daysAgo: $0) }
            return try await throughTheSpool(laboratory) { isAway in
                try await LoadGenerator(laboratory.batches(shapes[isAway ? 1 : 0])).run(
                    plan(laboratory.ingestPort, expecting: isAway ? Self.spooled : "\"stored\":100"))
            }
        }
        let uplinks = try await withLaboratory(sensors: Self.sensors) { laboratory in
            try await introduceSensors(of: laboratory)
            return try await throughTheSpool(laboratory) { isAway in
                try await sendUplinks(
                    to: laboratory, from: isAway ? 2 + roundsOfUplinks : 2,
                    expecting: isAway ? Self.spooled : Self.stored)
            }
        }
        return batches.rows("100 samples a request", each: 100, of: "samples")
            + uplinks.rows("one signed uplink a request", each: 1, of: "uplinks")
    }

    private static let spooled = "\"status\":\"spooled\""

    private func withLaboratory(
        sensors: Int = 0, _ body: (Laboratory) async throws -> ThroughTheSpool
    ) async throws -> ThroughTheSpool {
        let laboratory = try await Laboratory.open(sensors: sensors, memory)
        let result = try await laboratory.withIngest(compaction: .off) { try await body(laboratory) }
        try await laboratory.close()
        return result
    }

    private func throughTheSpool(
        _ laboratory: Laboratory, _ send: (_ isAway: Bool) async throws -> LoadReport
    ) async throws -> ThroughTheSpool {
        let stored = try await send(false)
        try await laboratory.lock()
        let spooled = try await send(true)
        try await laboratory.unlock()
        // The wait until ingest finds that the database is back is no part of its rate.
        while try await laboratory.drained() == 0 { try await Task.sleep(for: .milliseconds(5)) }
        let (start, first) = (ContinuousClock.now, try await laboratory.drained())
        while try await laboratory.ingestMetric("pulsegate_spool_segments") > 0 {
            try await Task.sleep(for: .milliseconds(5))
        }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        return ThroughTheSpool(
            stored: stored, spooled: spooled, drained: (try await laboratory.drained() - first) / seconds)
    }
}

/// What went the one way and the other; `drained` in samples or uplinks a second.
private struct ThroughTheSpool: Sendable {
    let stored: LoadReport
    let spooled: LoadReport
    let drained: Double

    func rows(_ what: String, each: Int, of unit: String) -> [Row] {
        var kept = Row("Pulsegate, \(what), spooled", spooled, each: each, of: unit)
        kept.ratio = Figure.ratio(spooled.perSecond, stored.perSecond, "stored")
        let drain = Row(
            what: "Pulsegate, \(what), drained", figure: "\(Figure.short(drained)) \(unit)/s",
            ratio: Figure.ratio(drained, stored.perSecond * Double(each), "stored"), durable: "yes")
        return [Row("Pulsegate, \(what), stored", stored, each: each, of: unit), kept, drain]
    }
}

extension Laboratory {
    /// Has the server refuse connections to this database, and ends those there are: to ingest it is gone.
    fileprivate func lock() async throws {
        try await allowConnections(false)
    }

    fileprivate func unlock() async throws {
        try await allowConnections(true)
    }

    /// From another database, since this one takes no connection.
    private func allowConnections(_ allow: Bool) async throws {
        try await withConnection(to: "postgres") { connection in
            if allow {
                try await connection.run("ALTER DATABASE \(.identifier(database)) ALLOW_CONNECTIONS true")
            } else {
                try await connection.run("ALTER DATABASE \(.identifier(database)) ALLOW_CONNECTIONS false")
                try await connection.run(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = \(database)")
            }
        }
    }

    /// Samples or uplinks from the spool that are stored.
    fileprivate func drained() async throws -> Double {
        let samples = try await ingestMetric("pulsegate_spool_drained_samples_total{outcome=\"stored\"}")
        return try await samples + ingestMetric("pulsegate_spool_drained_uplinks_total{outcome=\"stored\"}")
    }

    fileprivate func ingestMetric(_ name: String) async throws -> Double {
        let answer = try await Web.get("http://127.0.0.1:\(ingestAdminPort)/metrics")
        let line = answer.text.split(separator: "\n").first { $0.hasPrefix(name + " ") }
        guard let value = line.flatMap({ Double($0.dropFirst(name.count + 1)) }) else {
            throw BenchFailure(description: "ingest has no metric \(name)")
        }
        return value
    }
}
