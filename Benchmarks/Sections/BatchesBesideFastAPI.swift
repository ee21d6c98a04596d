extension Suite {
    /// (c) New batches beside a short service in Python, on the same PostgreSQL.
    func batchesBesideFastAPI() async throws -> [Row] {
        let laboratory = try await Laboratory.open(memory)
        let shape = SampleShape.regular(samplesEach: 100, daysAgo: 25)
        let ours = try await laboratory.withIngest(compaction: .off) { try await sendBatches(to: laboratory, shape) }
        try await laboratory.close()
        let theirs = try await FastAPIServer.withServer { server in
            // So that both workers know most of the series before anything is counted.
            try await sendAll(server.requests(.regular(samplesEach: 100, daysAgo: 12), instants: 10), server.port)
            return try await LoadGenerator(server.requests(shape)).run(plan(server.port, expecting: "\"stored\":100"))
        }
        var first = Row("Pulsegate, 100 samples a request", ours, each: 100)
        first.ratio = Figure.ratio(ours.perSecond, theirs.perSecond, "FastAPI")
        return [first, Row("FastAPI + asyncpg, 100 samples a request", theirs, each: 100)]
    }
}
