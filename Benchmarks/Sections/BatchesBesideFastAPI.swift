extension Suite {
    /// (c) New batches beside a short service in Python, on the same PostgreSQL.
    func batchesBesideFastAPI() async throws -> [Row] {
        let laboratory = try await Laboratory.open(memory)
        let shape = SampleShape.regular(samplesEach: 100, daysAgo: 25)
        let ours = try await laboratory.withIngest(compaction: .off) { try await sendBatches(to: laboratory, shape) }
        try await laboratory.close()
        let plain = try await sendBatchesToFastAPI(.executemany, shape)
        let clever = try await sendBatchesToFastAPI(.unnest, shape)
        var first = Row("Pulsegate, 100 samples a request", ours, each: 100)
        first.ratio =
            Figure.ratio(ours.perSecond, plain.perSecond, "executemany") + ", "
            + Figure.ratio(ours.perSecond, clever.perSecond, "unnest")
        return [
            first, Row("FastAPI + asyncpg's executemany, 100 samples a request", plain, each: 100),
            Row("FastAPI + asyncpg, INSERT of unnest, 100 samples a request", clever, each: 100),
        ]
    }

    private func sendBatchesToFastAPI(
        _ insertion: FastAPIServer.Insertion, _ shape: SampleShape
    ) async throws -> LoadReport {
        try await FastAPIServer.withServer(insertion) { server in
            // So that both workers know most of the series before anything is counted.
            try await sendAll(server.requests(.regular(samplesEach: 100, daysAgo: 12), instants: 10), server.port)
            let plan = plan(server.port, expecting: "\"processed\":100")
            return try await LoadGenerator(server.requests(shape)).run(plan)
        }
    }
}
