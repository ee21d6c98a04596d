import Postgres

/// Samples of one owner in the log's form: three arrays of one length.
package struct SampleRun: Sendable {
    package private(set) var series: [Int32] = []
    /// Microseconds since the Unix epoch.
    package private(set) var ts: [Int64] = []
    package private(set) var values: [Double] = []

    package init() {}

    package init(series: [Int32], ts: [Int64], values: [Double]) {
        precondition(series.count == ts.count && series.count == values.count, "one time and one value for each series")
        self.series = series
        self.ts = ts
        self.values = values
    }

    package var count: Int { series.count }
    package var isEmpty: Bool { series.isEmpty }

    package mutating func append(series: Int32, ts: Int64, value: Double) {
        self.series.append(series)
        self.ts.append(ts)
        values.append(value)
    }

    package mutating func append(_ run: SampleRun) {
        series += run.series
        ts += run.ts
        values += run.values
    }

    /// A row of the log for each owner's run. Nothing makes it safe to repeat: that is its caller's transaction.
    package static func append(_ runs: [(owner: Int32, run: SampleRun)], of tenant: TenantID) -> Command {
        let all = SampleRuns(runs.map(\.run))
        return """
            INSERT INTO sample_log (tenant_id, owner_id, series, ts, value)
            SELECT \(tenant), owner_id, (\(all.samples.series))[first:last], (\(all.samples.ts))[first:last],
                   (\(all.samples.values))[first:last]
              FROM unnest(\(runs.map(\.owner)), \(all.firsts), \(all.lasts)) AS r (owner_id, first, last)
            """
    }
}

/// Many runs as one, and where each begins and ends in it as PostgreSQL's arrays count: a statement for all of them costs a
/// fraction of one for each.
package struct SampleRuns: Sendable {
    package private(set) var samples = SampleRun()
    package private(set) var firsts: [Int32] = []
    package private(set) var lasts: [Int32] = []

    package init(_ runs: [SampleRun]) {
        for run in runs {
            firsts.append(Int32(samples.count + 1))
            samples.append(run)
            lasts.append(Int32(samples.count))
        }
    }
}
