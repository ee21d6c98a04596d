import Foundation

extension Suite {
    private struct Sizing {
        let name: String
        let shape: SampleShape
        var instants = 1_400
        /// Instants that compaction gets to see at once.
        var instantsAtOnce = 100
        /// In life there is time between instants for autovacuum to look; here it is told to.
        var isVacuumedBetween = false
        var samples: Int { shape.stores * shape.seriesEach * instants }
    }

    /// (i) What a sample takes on the disk, for three shapes of series. Ours come as they would in life: compaction sees a hundred
    /// samples of a series together, or a single one of a sparse series, and merges later.
    func bytesASample() async throws -> [Row] {
        // From the beginning of a period of 30 days, so that periods cut no chunk more often than they must.
        let period: Int64 = 2_592_000_000
        let origin = (Int64(Date().timeIntervalSince1970 * 1_000) / period - 1) * period
        let sizings = [
            Sizing(name: "regular, every 10 s", shape: SampleShape(stores: 20, origin: origin)),
            Sizing(name: "irregular, about every 10 s", shape: SampleShape(stores: 20, jitter: 9_999, origin: origin)),
            Sizing(
                name: "sparse, every hour", shape: SampleShape(stores: 20, step: 3_600_000, origin: origin),
                instants: 240,
                instantsAtOnce: 1, isVacuumedBetween: true),
        ]
        var rows: [Row] = []
        for sizing in sizings {
            rows.append(try await pulsegateSize(sizing))
            let influx = try await Peer.withInfluxDB(quickToDisk: true) { try await peerSize($0, sizing) }
            let victoria = try await Peer.withVictoriaMetrics { try await peerSize($0, sizing) }
            rows += [influx, victoria]
        }
        return rows
    }

    private func pulsegateSize(_ sizing: Sizing) async throws -> Row {
        let laboratory = try await Laboratory.open(memory)
        let stored = try await laboratory.withIngest(compaction: .everySeconds(0.1)) {
            var batches = laboratory.batches(sizing.shape)
            for _ in 0..<sizing.instants / sizing.instantsAtOnce {
                let portion = batches.portion(instants: sizing.instantsAtOnce)
                try await sendAll(portion, laboratory.ingestPort, expecting: "\"stored\":100")
                try await laboratory.emptyLog()
                if sizing.isVacuumedBetween { try await laboratory.vacuum() }
            }
            return try await laboratory.settled()
        }
        try await laboratory.close()
        let note = String(
            format: "%.0f samples a chunk; %@ of %@ samples in chunks; %@, of these rows %@, indexes %@",
            Double(stored.chunkedSamples) / Double(max(1, stored.chunks)), Figure.short(Double(stored.chunkedSamples)),
            Figure.short(Double(sizing.samples)), Figure.mebibytes(Int(stored.chunkBytes)),
            Figure.mebibytes(Int(stored.rowBytes)), Figure.mebibytes(Int(stored.indexBytes)))
        return Self.row("Pulsegate", sizing, bytes: Int(stored.chunkBytes), samples: Int(stored.chunkedSamples), note)
    }

    private func peerSize(_ peer: Peer, _ sizing: Sizing) async throws -> Row {
        try await sendAll(peer.requests(sizing.shape, instants: sizing.instants), peer.port)
        try await peer.flush()
        return Self.row(peer.name, sizing, bytes: try await peer.settledSize(), samples: sizing.samples, "")
    }

    private static func row(_ name: String, _ sizing: Sizing, bytes: Int, samples: Int, _ note: String) -> Row {
        Row(
            what: "\(name), \(sizing.name)",
            figure: String(format: "%.1f bytes/sample", Double(bytes) / Double(max(1, samples))), note: note)
    }
}

extension Peer {
    /// VictoriaMetrics writes out and merges when it is told to; InfluxDB does by itself, see `withInfluxDB(quickToDisk:)`.
    fileprivate func flush() async throws {
        guard name == "VictoriaMetrics" else { return }
        for step in ["force_flush", "force_merge"] {
            let answer = try await Web.get("http://127.0.0.1:\(port)/internal/\(step)")
            guard answer.isGood else { throw BenchFailure(description: "\(name) \(step): \(answer.text)") }
        }
    }

    /// Bytes on the disk once they stay the same for 15 s; two minutes at most.
    fileprivate func settledSize() async throws -> Int {
        var before = 0
        var quiet = 0
        for _ in 0..<24 where quiet < 3 {
            try await Task.sleep(for: .seconds(5))
            let now = try await Shell.diskUsage(of: directory)
            quiet = now == before ? quiet + 1 : 0
            before = now
        }
        return before
    }
}
