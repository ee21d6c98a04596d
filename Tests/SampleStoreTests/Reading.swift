import Postgres
import Shared

/// What one reader saw of one tenant in one snapshot.
struct Reading: Sendable {
    let tenant: TenantID
    /// How it was read, for whoever looks into a failure.
    let way: String
    /// By the model's clock, before its snapshot was taken.
    let began: Int
    /// What it is about: nothing outside was asked for.
    let span: Range<Int64>
    let series: Int32?
    let samples: [SamplePlace: Double]

    func covers(_ place: SamplePlace) -> Bool {
        span.contains(place.ts) && (series == nil || series == place.series)
    }
}

/// A row of the view `samples` or of `samples_between`.
struct ReadSample: RowDecodable, Sendable {
    let tenant: TenantID
    let place: SamplePlace
    let value: Double

    init(_ row: Row) throws {
        tenant = try row["tenant_id"]
        place = SamplePlace(series: try row["series_id"], ts: try row["ts"])
        value = try row["value"]
    }
}
