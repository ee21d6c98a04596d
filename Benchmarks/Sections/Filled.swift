import Foundation

extension Suite {
    private struct Pair {
        var batches: LoadReport
        var uplinks: LoadReport
    }

    /// (f) New batches and signed uplinks on a database that holds a lot already, beside the same on an empty one; by turns, twice,
    /// so that a machine that slows down slows both.
    func filledDatabase() async throws -> [Row] {
        let empty = try await Laboratory.open(sensors: Self.sensors, memory)
        let full = try await Laboratory.open(sensors: Self.sensors, memory)
        // Whose series and devices the fill is made for.
        _ = try await send(to: full, turn: 0)
        let data = StoredData(laboratory: full, samples: storedSamples, uplinks: storedUplinks)
        let filling = ContinuousClock.now
        try await data.fill()
        let seconds = (ContinuousClock.now - filling) / .seconds(1)
        let bytes = try await data.databaseBytes()
        var before = try await send(to: empty, turn: 0)
        var after = try await send(to: full, turn: 1)
        let (beforeAgain, afterAgain) = (try await send(to: empty, turn: 1), try await send(to: full, turn: 2))
        before = Pair(batches: before.batches + beforeAgain.batches, uplinks: before.uplinks + beforeAgain.uplinks)
        after = Pair(batches: after.batches + afterAgain.batches, uplinks: after.uplinks + afterAgain.uplinks)
        try await empty.close()
        try await full.close()
        let note = String(format: "database of %@, filled in %.0f s", Figure.mebibytes(bytes), seconds)
        return rows(empty: before, filled: after, note)
    }

    /// - Parameter turn: how often this was done on the laboratory before.
    private func send(to laboratory: Laboratory, turn: Int) async throws -> Pair {
        try await laboratory.withIngest(compaction: .off) {
            let round = turn * (2 + roundsOfUplinks)
            try await introduceSensors(of: laboratory, from: round)
            let batches = try await sendBatches(to: laboratory, .regular(samplesEach: 100, daysAgo: 25 - 5 * turn))
            return Pair(batches: batches, uplinks: try await sendUplinks(to: laboratory, from: round + 2))
        }
    }

    private func rows(empty: Pair, filled: Pair, _ note: String) -> [Row] {
        let stored =
            "\(Figure.short(Double(storedSamples))) samples and \(Figure.short(Double(storedUplinks))) uplinks stored"
        var batches = Row("Pulsegate, 100 samples a request, \(stored)", filled.batches, each: 100, note: note)
        batches.ratio = Figure.ratio(filled.batches.perSecond, empty.batches.perSecond, "empty")
        var uplinks = Row("Pulsegate, one signed uplink a request, \(stored)", filled.uplinks, of: "uplinks")
        uplinks.ratio = Figure.ratio(filled.uplinks.perSecond, empty.uplinks.perSecond, "empty")
        return [
            Row("Pulsegate, 100 samples a request, empty", empty.batches, each: 100), batches,
            Row("Pulsegate, one signed uplink a request, empty", empty.uplinks, of: "uplinks"), uplinks,
        ]
    }
}
