extension Suite {
    /// (g) Requests at 70 % of what was just measured as saturation, at a constant rate, compaction running. A request's latency
    /// counts from the time when it was due.
    func latencyBelowSaturation() async throws -> [Row] {
        let laboratory = try await Laboratory.open(sensors: Self.sensors, memory)
        let shapes = [25, 12].map { SampleShape.regular(samplesEach: 100, daysAgo: $0) }
        let batches = try await laboratory.withIngest(compaction: .normal) {
            try await belowSaturation(settling: laboratory) { pace in
                try await sendBatches(to: laboratory, shapes[pace.isClosedLoop ? 0 : 1], pace)
            }
        }
        let uplinks = try await laboratory.withIngest(compaction: .normal) {
            try await introduceSensors(of: laboratory)
            return try await belowSaturation(settling: laboratory) { pace in
                try await sendUplinks(to: laboratory, from: pace.isClosedLoop ? 2 : 2 + roundsOfUplinks, pace)
            }
        }
        try await laboratory.close()
        let send: @Sendable (Peer) async throws -> (LoadReport, Peer) = { peer in
            let report = try await belowSaturation { pace in
                try await sendBatches(to: peer, shapes[pace.isClosedLoop ? 0 : 1], pace)
            }
            return (report, peer)
        }
        let peers = [try await Peer.withInfluxDB(send), try await Peer.withVictoriaMetrics(send)]
        return [
            Row("Pulsegate, 100 samples a request, at 70 %", batches, each: 100, note: "compaction running"),
            Row("Pulsegate, one signed uplink a request, at 70 %", uplinks, of: "uplinks", note: "compaction running"),
        ]
            + peers.map { report, peer in
                Row("\(peer.name), 100 samples a request, at 70 %", report, each: 100, durable: peer.durability)
            }
    }

    /// - Parameter laboratory: what must have compacted before the second run what the first one left.
    private func belowSaturation(
        settling laboratory: Laboratory? = nil, _ run: (LoadPlan.Pace) async throws -> LoadReport
    ) async throws -> LoadReport {
        let saturation = try await run(.closedLoop).perSecond
        try await laboratory?.settled()
        return try await run(.constant(perSecond: saturation * 0.7))
    }
}

extension LoadPlan.Pace {
    fileprivate var isClosedLoop: Bool {
        if case .closedLoop = self { true } else { false }
    }
}
