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

    /// One after the other.
    package init(joining runs: [SampleRun]) {
        let count = runs.reduce(0) { $0 + $1.count }
        series.reserveCapacity(count)
        ts.reserveCapacity(count)
        values.reserveCapacity(count)
        for run in runs {
            series += run.series
            ts += run.ts
            values += run.values
        }
    }

    /// A row of the log for each owner's run. Nothing makes it safe to repeat: that is its caller's transaction.
    package static func append(_ runs: [(owner: Int32, run: SampleRun)], of tenant: TenantID) -> Command {
        let (samples, parts) = (SampleRun(joining: runs.map(\.run)), ArrayParts(runs.map(\.run.count)))
        return """
            INSERT INTO sample_log (tenant_id, owner_id, series, ts, value)
            SELECT \(tenant), owner_id, (\(samples.series))[first:last], (\(samples.ts))[first:last],
                   (\(samples.values))[first:last]
              FROM unnest(\(runs.map(\.owner)), \(parts.firsts), \(parts.lasts)) AS r (owner_id, first, last)
            """
    }
}
