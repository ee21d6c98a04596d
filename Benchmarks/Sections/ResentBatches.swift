extension Suite {
    /// (e) Batches that came before, each answered as duplicates, beside new ones.
    func resentBatches() async throws -> [Row] {
        let laboratory = try await Laboratory.open(memory)
        let (new, resent) = try await laboratory.withIngest(compaction: .off) {
            let new = try await sendBatches(to: laboratory, .regular(samplesEach: 100, daysAgo: 12))
            let shape = SampleShape.regular(samplesEach: 100, daysAgo: 25)
            try await sendAll(
                laboratory.batches(shape, instants: Self.resentInstants), laboratory.ingestPort,
                expecting: "\"stored\":100")
            var batches = laboratory.batches(shape)
            let again = batches.portion(instants: Self.resentInstants, repeats: true)
            let resent = try await LoadGenerator(again)
                .run(plan(laboratory.ingestPort, expecting: "\"duplicates\":100"))
            return (new, resent)
        }
        try await laboratory.close()
        var row = Row("Pulsegate, 100 samples a request, all resent", resent, each: 100)
        row.ratio = Figure.ratio(resent.perSecond, new.perSecond, "new")
        return [Row("Pulsegate, 100 samples a request, all new", new, each: 100), row]
    }

    /// Of each of 100 stores: 2,000 requests to be resent.
    private static let resentInstants = 20

    /// Every request of a source that ends, once; nothing is measured.
    func sendAll(_ source: some RequestSource, _ port: Int, expecting: String = "") async throws {
        var plan = plan(port, expecting: expecting)
        plan.warmUp = 0
        plan.seconds = 3_600
        _ = try await LoadGenerator(source).run(plan)
    }
}
