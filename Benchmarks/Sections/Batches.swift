extension Suite {
    /// (a) New batches as fast as they are answered, nothing condensing the log meanwhile; the same points to each system.
    func newBatches() async throws -> [Row] {
        let shapes = [100, 500].map { SampleShape.regular(samplesEach: $0, daysAgo: $0 == 100 ? 25 : 12) }
        var rows: [Row] = []
        for shape in shapes {
            // A new one each time: the first pass of compaction finds nothing to do.
            let laboratory = try await Laboratory.open(memory)
            let ours = try await laboratory.withIngest(compaction: .off) {
                try await sendBatches(to: laboratory, shape)
            }
            try await laboratory.close()
            rows += Self.compare(ours, try await sendBatchesToPeers(shape), shape, "")
        }
        return rows
    }

    /// Our row with its ratios, then the peers'.
    /// - Parameter manner: what is peculiar to our run.
    static func compare(
        _ ours: LoadReport, _ peers: [(peer: Peer, report: LoadReport)], _ shape: SampleShape, _ manner: String,
        note: String = ""
    ) -> [Row] {
        let what = "\(shape.samplesEach) samples a request"
        var first = Row("Pulsegate, \(what)\(manner)", ours, each: shape.samplesEach, note: note)
        first.ratio = peers.map { Figure.ratio(ours.perSecond, $0.report.perSecond, $0.peer.name) }
            .joined(separator: ", ")
        return [first]
            + peers.map {
                Row("\($0.peer.name), \(what)", $0.report, each: shape.samplesEach, durable: $0.peer.durability)
            }
    }
}
