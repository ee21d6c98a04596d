import Support

/// A series as gateways name it.
struct SeriesName: Hashable, Sendable {
    let metric: String
    let till: String?

    var labelsText: String { till.map { #","labels":{"till":"\#($0)"}"# } ?? "" }
}

/// The body of one `POST /v1/metrics/batch`, and what of it is to be stored.
struct GatewayRequest: Sendable {
    struct Sample: Sendable {
        let series: SeriesName
        /// Microseconds; nil where the row has no `ts` and gets the time of arrival.
        let ts: Int64?
        let value: Double
    }

    struct Row: Sendable {
        let text: String
        /// Nil: a bad row, to be rejected.
        let sample: Sample?
    }

    /// `client 3, step 17`.
    let name: String
    let shop: Int
    let batchID: String?
    let rows: [Row]

    var samples: [Sample] { rows.compactMap(\.sample) }
    var everySampleHasOwnTime: Bool { samples.allSatisfy { $0.ts != nil } }
    /// Whether the request is known again when it is sent again.
    var isKnownAgain: Bool { batchID != nil || everySampleHasOwnTime }

    var body: String {
        let id = batchID.map { #""batch_id":"\#($0)","# } ?? ""
        return #"{\#(id)"metrics":[\#(rows.map(\.text).joined(separator: ","))]}"#
    }
}

extension GatewayRequest.Row {
    static func good(_ sample: GatewayRequest.Sample, _ random: inout SplitMix) -> GatewayRequest.Row {
        let ts = sample.ts.map { #","ts":\#(SentTime.text($0, &random))"# } ?? ""
        let isFlag = sample.value == 1 && Bool.random(using: &random)
        let value = isFlag ? "true" : "\(sample.value)"
        let text = #"{"name":"\#(sample.series.metric)","value":\#(value)\#(ts)\#(sample.series.labelsText)}"#
        return GatewayRequest.Row(text: text, sample: sample)
    }

    static let bad: [GatewayRequest.Row] = [
        #"{"name":"9th","value":1}"#, #"{"name":"pos.sales","value":null}"#, #"{"name":"pos.sales","value":1e999}"#,
        #"{"name":"pos.sales","value":1,"ts":"yesterday"}"#, #"{"name":"pos.sales","value":1,"ts":1}"#,
        #"{"name":"pos.sales","value":1,"ts":"9000-01-01T00:00:00Z"}"#, "7",
    ].map { GatewayRequest.Row(text: $0, sample: nil) }
}
