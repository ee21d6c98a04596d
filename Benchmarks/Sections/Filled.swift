import Foundation

extension Suite {
    /// (f) New batches and signed uplinks on a database that holds a lot already, beside the same before it was filled.
    func filledDatabase() async throws -> [Row] {
        let laboratory = try await Laboratory.open(sensors: Self.sensors, memory)
        let empty = try await laboratory.withIngest(compaction: .off) {
            try await introduceSensors(of: laboratory)
            let batches = try await sendBatches(to: laboratory, .regular(samplesEach: 100, daysAgo: 25))
            return (batches: batches, uplinks: try await sendUplinks(to: laboratory, from: 2))
        }
        let data = StoredData(laboratory: laboratory, samples: storedSamples, uplinks: storedUplinks)
        let filling = ContinuousClock.now
        try await data.fill()
        let seconds = (ContinuousClock.now - filling) / .seconds(1)
        let size = try await data.databaseBytes()
        let filled = try await laboratory.withIngest(compaction: .off) {
            let round = 2 + roundsOfUplinks
            try await introduceSensors(of: laboratory, from: round)
            let batches = try await sendBatches(to: laboratory, .regular(samplesEach: 100, daysAgo: 12))
            let uplinks = try await sendUplinks(to: laboratory, from: round + 2)
            return (batches: batches, uplinks: uplinks)
        }
        try await laboratory.close()
        let stored = "\(Figure.short(Double(storedSamples))) samples and \(Figure.short(Double(storedUplinks))) uplinks stored"
        var batches = Row("Pulsegate, 100 samples a request, \(stored)", filled.batches, each: 100)
        batches.ratio = Figure.ratio(filled.batches.perSecond, empty.batches.perSecond, "empty")
        batches.note = String(format: "database of %@, filled in %.0f s", Figure.mebibytes(size), seconds)
        var uplinks = Row("Pulsegate, one signed uplink a request, \(stored)", filled.uplinks, of: "uplinks")
        uplinks.ratio = Figure.ratio(filled.uplinks.perSecond, empty.uplinks.perSecond, "empty")
        return [
            Row("Pulsegate, 100 samples a request, empty", empty.batches, each: 100), batches,
            Row("Pulsegate, one signed uplink a request, empty", empty.uplinks, of: "uplinks"), uplinks,
        ]
    }
}
