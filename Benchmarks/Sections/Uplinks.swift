extension Suite {
    /// Sensors that send: each has its own frame counter, state and three series.
    static let sensors = 10_000
    /// More uplinks a second than are sent anywhere, so that those made beforehand last.
    private static let uplinksMadePerSecond = 25_000.0

    /// (d) Signed uplinks, one a request, beside pgbench with as many clients.
    func signedUplinks() async throws -> [Row] {
        let laboratory = try await Laboratory.open(sensors: Self.sensors, memory)
        let ours = try await laboratory.withIngest(compaction: .off) {
            try await introduceSensors(of: laboratory)
            return try await sendUplinks(to: laboratory, from: 2)
        }
        let pgbench = PgbenchPeer(laboratory: laboratory)
        try await pgbench.open()
        let readings = try await pgbench.rate(of: .reading, clients: connections, seconds: seconds)
        let everyRow = try await pgbench.rate(of: .everyRow, clients: connections, seconds: seconds)
        try await laboratory.close()
        var row = Row("Pulsegate, one signed uplink a request", ours, of: "uplinks")
        row.ratio =
            Figure.ratio(ours.perSecond, everyRow, "the same rows")
            + ", " + Figure.ratio(ours.perSecond, readings, "the reading alone")
        return [
            row,
            Row(
                what: "pgbench, one uplink's rows a transaction", figure: "\(Figure.short(everyRow)) uplinks/s",
                durable: "yes"),
            Row(what: "pgbench, its reading alone", figure: "\(Figure.short(readings)) uplinks/s", durable: "yes"),
        ]
    }

    /// Two uplinks of each sensor: they make its state and its series, or let an ingest process that was just started find them.
    /// - Parameter round: how many uplinks each sensor sent before.
    func introduceSensors(of laboratory: Laboratory, from round: Int = 0) async throws {
        let numbers = round * laboratory.sensors..<(round + 2) * laboratory.sensors
        try await sendAll(laboratory.uplinks(numbers), laboratory.ingestPort, expecting: Self.stored)
    }

    /// - Parameter round: how many uplinks each sensor sent before.
    func sendUplinks(
        to laboratory: Laboratory, from round: Int, _ pace: LoadPlan.Pace = .closedLoop,
        expecting: String = Self.stored
    ) async throws -> LoadReport {
        let plan = plan(laboratory.ingestPort, expecting: expecting, pace)
        let count = Int((plan.warmUp + plan.seconds) * Self.uplinksMadePerSecond)
        let first = round * laboratory.sensors
        return try await LoadGenerator(laboratory.uplinks(first..<first + count)).run(plan)
    }

    /// Rounds that one run can take at most.
    var roundsOfUplinks: Int { Int((seconds + 2) * Self.uplinksMadePerSecond) / Self.sensors + 1 }

    static let stored = "\"status\":\"stored\""
}
