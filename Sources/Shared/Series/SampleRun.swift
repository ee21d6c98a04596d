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

    /// One row of the log. Nothing makes it safe to repeat: that is its caller's transaction.
    package func append(to owner: Int32, of tenant: TenantID) -> Command {
        """
        INSERT INTO sample_log (tenant_id, owner_id, series, ts, value)
        VALUES (\(tenant), \(owner), \(series), \(ts), \(values))
        """
    }
}
