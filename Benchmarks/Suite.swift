import Foundation

/// What the sections of one run share.
struct Suite: Sendable {
    /// Seconds of load that are counted for each figure.
    let seconds: Double
    let connections: Int
    /// Samples and uplinks that are stored for "filled".
    let storedSamples: Int
    let storedUplinks: Int
    let memory = PeakMemory()

    func plan(_ port: Int, expecting: String = "", _ pace: LoadPlan.Pace = .closedLoop) -> LoadPlan {
        LoadPlan(port: port, connections: connections, pace: pace, seconds: seconds, expecting: Array(expecting.utf8))
    }

    /// New batches, as fast as they are answered or at a rate.
    func sendBatches(
        to laboratory: Laboratory, _ shape: SampleShape, _ pace: LoadPlan.Pace = .closedLoop
    ) async throws -> LoadReport {
        try await LoadGenerator(laboratory.batches(shape)).run(
            plan(laboratory.ingestPort, expecting: "\"stored\":\(shape.samplesEach)", pace))
    }

    func sendBatches(
        to peer: Peer, _ shape: SampleShape, _ pace: LoadPlan.Pace = .closedLoop
    ) async throws -> LoadReport {
        try await LoadGenerator(peer.requests(shape)).run(plan(peer.port, pace))
    }

    /// A run of batches per peer, each started for it with nothing stored.
    func sendBatchesToPeers(_ shape: SampleShape) async throws -> [(peer: Peer, report: LoadReport)] {
        [
            try await Peer.withInfluxDB { ($0, try await sendBatches(to: $0, shape)) },
            try await Peer.withVictoriaMetrics { ($0, try await sendBatches(to: $0, shape)) },
        ]
    }
}

extension SampleShape {
    /// 100 stores with 100 series each, every 10 s.
    /// - Parameters:
    ///   - samplesEach: samples of one request, a multiple of 100.
    ///   - daysAgo: when the first was measured, so that runs on one database don't repeat one another's times.
    static func regular(samplesEach: Int, daysAgo: Int) -> SampleShape {
        SampleShape(instants: samplesEach / 100, origin: .tenSecondsOf(daysAgo: daysAgo))
    }
}

extension Int64 {
    /// A time in milliseconds since the Unix epoch, so many days ago, on a multiple of 10 s.
    static func tenSecondsOf(daysAgo: Int) -> Int64 {
        (Int64(Date().timeIntervalSince1970) - Int64(daysAgo) * 86_400) / 10 * 10_000
    }
}

extension Laboratory {
    func batches(_ shape: SampleShape, instants: Int? = nil) -> SampleRequests {
        SampleRequests(shape, .json(path: "/v1/metrics/batch", keys: stores.map(\.key)), instants: instants)
    }
}
