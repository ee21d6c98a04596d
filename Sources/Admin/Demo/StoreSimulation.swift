import Foundation
import Postgres
import Shared

/// What a store's gateway measures: tills, fridges, a meter, a door counter. Pure but for chance.
struct StoreSimulation: Sendable {
    struct Batch: Encodable, Sendable {
        let batchID: String
        let metrics: [Metric]

        private enum CodingKeys: String, CodingKey {
            case metrics
            case batchID = "batch_id"
        }
    }

    struct Metric: Encodable, Sendable {
        let name: String
        let value: Double
        let ts: String
        var labels: [String: String] = [:]
    }

    private var fridges: [Double] = (0..<3).map { _ in .random(in: 3...5) }
    private var energy = Double.random(in: 1_000...90_000).rounded()
    private var batches = 0
    private let run = UUID.v7().lowercaseString

    /// The next batch, for the `seconds` since the one before.
    mutating func measure(at now: Timestamp, seconds: Double) -> Batch {
        let trade = Self.trade(at: now)
        let ts = now.rfc3339
        var metrics: [Metric] = []
        for till in 1...2 {
            let sales = Double(Int.random(in: 0...Int(1 + 3 * trade)))
            let labels = ["till": String(till)]
            metrics.append(Metric(name: "pos.transactions", value: sales, ts: ts, labels: labels))
            let takings = (0..<Int(sales)).reduce(0) { sum, _ in sum + Double.random(in: 2...60) }
            metrics.append(Metric(name: "pos.sales_total", value: takings.cents, ts: ts, labels: labels))
        }
        for fridge in fridges.indices {
            // Back toward 4 °C, and now and then a door that stands open.
            let drift = (4 - fridges[fridge]) * 0.05 + .random(in: -0.15...0.15)
            fridges[fridge] += drift + (Int.random(in: 0..<500) == 0 ? 3 : 0)
            metrics.append(
                Metric(
                    name: "fridge.temperature", value: fridges[fridge].cents, ts: ts,
                    labels: ["fridge": String(fridge + 1)]))
        }
        energy += (4 + 8 * trade) * seconds / 3_600
        metrics.append(Metric(name: "energy.kwh", value: energy.thousandths, ts: ts))
        metrics.append(
            Metric(name: "footfall", value: Double(Int.random(in: 0...Int(1 + 6 * trade))), ts: ts))
        batches += 1
        return Batch(batchID: "\(run)-\(batches)", metrics: metrics)
    }

    /// How busy a store is, 0 to 1: closed at night, fullest around noon and at seven in the evening (UTC).
    static func trade(at now: Timestamp) -> Double {
        let hour = Double(now.seconds % 86_400) / 3_600
        guard (8..<21).contains(hour) else { return 0 }
        let noon = exp(-pow(hour - 12, 2) / 6)
        let evening = exp(-pow(hour - 19, 2) / 4)
        return min(1, 0.2 + noon * 0.7 + evening * 0.8)
    }
}

extension Double {
    var cents: Double { (self * 100).rounded() / 100 }
    fileprivate var thousandths: Double { (self * 1_000).rounded() / 1_000 }
}
