extension Suite {
    /// (m) Ten times the requests that ingest was just measured to take, over so many connections that they bring more than may wait;
    /// `--seconds 900` shows whether memory stays flat.
    func overload() async throws -> [Row] {
        let laboratory = try await Laboratory.open(memory)
        // A quarter of an hour of this load is what the stores would measure in a month.
        let shapes = [60, 50].map { SampleShape.regular(samplesEach: 500, daysAgo: $0) }
        let (saturated, peakBefore, report, peak, peakAfter) = try await laboratory.withIngestProcess { process in
            var brief = plan(laboratory.ingestPort, expecting: "\"stored\":500", .closedLoop)
            brief.seconds = min(brief.seconds, 10)
            let saturated = try await LoadGenerator(laboratory.batches(shapes[0])).run(brief)
            var plan = plan(
                laboratory.ingestPort, expecting: "\"processed\":500,\"rejected\":[]", // stored or spooled
                .constant(perSecond: saturated.perSecond * 10))
            plan.connections *= 128
            plan.mayBeRefused = true
            let load = LoadGenerator(laboratory.batches(shapes[1]))
            let peakBefore = process.peakMemory
            var first = plan
            first.seconds /= 2
            let half = try await load.run(first)
            let peak = process.peakMemory
            first.warmUp = 0
            let rest = try await load.run(first)
            return (saturated, peakBefore, half + rest, peak, process.peakMemory)
        }
        try await laboratory.close()
        var row = Row("Pulsegate, 500 samples a request, ten times what it takes", report, each: 500)
        row.ratio = Figure.ratio(report.perSecond, saturated.perSecond, "saturation")
        row.note =
            "\(report.refused) of \(report.requests) 429 or 503; most memory \(Figure.mebibytes(peakBefore)) before, "
            + "\(Figure.mebibytes(peak)) after half the time, \(Figure.mebibytes(peakAfter)) at the end"
        return [row]
    }
}
