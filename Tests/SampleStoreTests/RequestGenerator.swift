import Postgres
import Support

/// Makes one client's requests, the same for the same seed however the clients are scheduled.
struct RequestGenerator {
    private static let series = ["pos.sales", "pos.returns", "door.opened"].flatMap { metric in
        [nil, "1"].map { SeriesName(metric: metric, till: $0) }
    }

    let client: Int
    private(set) var random: SplitMix
    private var values: DistinctValues
    private var batchIDs = 0

    init(client: Int, random: SplitMix) {
        (self.client, self.random) = (client, random)
        values = DistinctValues(client: client)
    }

    mutating func pick(_ range: Range<Int>) -> Int { Int.random(in: range, using: &random) }

    /// Mostly rows with a time of their own; now and then rows without, with a `batch_id` or not.
    mutating func new(step: Int, shop: Int, now: Timestamp) -> GatewayRequest {
        let kind = pick(0..<40) == 0 ? .long : SentTime.Kind.allCases.dropLast().randomElement(using: &random) ?? .fine
        let count = kind == .long ? pick(600..<1_500) : pick(1..<25)
        let times = SentTime.run(kind, count, near: now.microseconds, &random)
        let withoutTime = pick(0..<4) == 0
        let oneSeries = kind == .long ? Self.series.randomElement(using: &random) : nil
        let samples = times.enumerated().map { index, ts in
            GatewayRequest.Sample(
                series: oneSeries ?? Self.series[pick(0..<Self.series.count)],
                ts: withoutTime && pick(0..<4) == 0 ? nil : ts,
                value: index == 0 ? values.distinct() : values.next(&random))
        }
        return request(step, shop, samples)
    }

    /// What was sent before, in other company; with `anew`, each sample with another value, which must not count. One value is
    /// its own, for else it might be the same request, and known.
    mutating func regrouped(_ sent: [GatewayRequest], step: Int, shop: Int, anew: Bool) -> GatewayRequest? {
        let known = sent.filter { $0.shop == shop }.flatMap(\.samples).filter { $0.ts != nil }
        guard !known.isEmpty else { return nil }
        let samples = (0..<pick(1..<40)).map { index in
            let old = known[pick(0..<known.count)]
            return GatewayRequest.Sample(
                series: old.series, ts: old.ts,
                value: index == 0 ? values.distinct() : anew ? values.next(&random) : old.value)
        }
        return request(step, shop, samples)
    }

    private mutating func request(
        _ step: Int, _ shop: Int, _ samples: [GatewayRequest.Sample]
    ) -> GatewayRequest {
        var rows = samples.map { GatewayRequest.Row.good($0, &random) }
        if pick(0..<10) == 0, let bad = GatewayRequest.Row.bad.randomElement(using: &random) {
            rows.insert(bad, at: pick(0..<rows.count + 1))
        }
        batchIDs += 1
        return GatewayRequest(
            name: "client \(client), step \(step)", shop: shop,
            batchID: pick(0..<2) == 0 ? "\(client)-\(batchIDs)" : nil, rows: rows)
    }
}

/// Values that tell whose they are: a reader's value names the request that brought it. None comes twice, save a few that a
/// store might spoil.
private struct DistinctValues {
    private var number: UInt64

    init(client: Int) {
        number = UInt64(client + 1) * 1_000_000
    }

    /// Comes never again.
    mutating func distinct() -> Double {
        number += 1
        return Double(number) / 64
    }

    mutating func next(_ random: inout SplitMix) -> Double {
        number += 1
        switch Int.random(in: 0..<24, using: &random) {
        case 0: return -0.0
        case 1: return 1 // sent as `true` half of the time
        case 2, 3: return Double(bitPattern: Double.greatestFiniteMagnitude.bitPattern - number)
        case 4, 5: return Double(bitPattern: number) // subnormal
        case 6, 7: return -Double(number)
        case 8, 9: return Double(number) + 0.1
        default: return Double(number) / 64
        }
    }
}
