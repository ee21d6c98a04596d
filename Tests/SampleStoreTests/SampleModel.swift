import Postgres
import Shared
import Support
import Synchronization

/// Where a sample stands: a series and a time, in microseconds.
struct SamplePlace: Hashable, Sendable {
    let series: Int32
    let ts: Int64
}

/// The naive store: what was sent, what of it was answered, and so what readers may see.
///
/// Time is a counter. A delivery is one form in which a request was sent: most requests have one, those with rows that get the
/// time of arrival have another each time they are sent from the start. Where deliveries overlap in time any of them may
/// be the first, but one that was accepted before another was sent wins, and what was seen once stays.
final class SampleModel: Sendable {
    typealias DeliveryID = Int

    struct Delivery {
        let name: String
        let announcedAt: Int
        let places: [SamplePlace]
        let tenant: TenantID
    }

    struct Claim {
        let delivery: DeliveryID
        let value: Double
    }

    struct Cell {
        var claims: [Claim] = []
        /// When the first delivery of it was accepted.
        var acceptedAt = Int.max
        /// What readers saw, and which of them first.
        var seen: (value: Double, by: String)?
    }

    private struct State {
        var now = 0
        var deliveries: [Delivery] = []
        var cells: [TenantID: [SamplePlace: Cell]] = [:]
    }

    let seed: UInt64
    private let state = Mutex(State())

    init(seed: UInt64) {
        self.seed = seed
    }

    /// To be called before each reading: what was accepted earlier must be seen.
    func now() -> Int { state.withLock { $0.now } }

    /// Before a delivery is sent for the first time.
    func announce(_ name: String, _ samples: SampleRun, of tenant: TenantID) -> DeliveryID {
        state.withLock { state in
            state.now += 1
            let id = state.deliveries.count
            var values: [SamplePlace: Double] = [:]
            for index in 0..<samples.count {
                let place = SamplePlace(series: samples.series[index], ts: samples.ts[index])
                if values[place] == nil { values[place] = samples.values[index] } // the first in a request counts
            }
            for (place, value) in values {
                state.cells[tenant, default: [:]][place, default: Cell()].claims
                    .append(Claim(delivery: id, value: value))
            }
            state.deliveries.append(
                Delivery(name: name, announcedAt: state.now, places: Array(values.keys), tenant: tenant))
            return id
        }
    }

    /// After it was answered as stored, or as known.
    func accept(_ id: DeliveryID) {
        state.withLock { state in
            state.now += 1
            let (delivery, now) = (state.deliveries[id], state.now)
            for place in delivery.places {
                let known = state.cells[delivery.tenant]?[place]?.acceptedAt ?? .max
                state.cells[delivery.tenant]?[place]?.acceptedAt = min(known, now)
            }
        }
    }

    /// When another delivery of its request turned out to be the one that is stored.
    ///
    /// - Throws: `HistoryFailure` if somebody has seen it.
    func withdraw(_ id: DeliveryID) throws {
        try state.withLock { state in
            let delivery = state.deliveries[id]
            for place in delivery.places {
                state.cells[delivery.tenant]?[place]?.claims.removeAll { $0.delivery == id }
                guard let cell = state.cells[delivery.tenant]?[place], let seen = cell.seen else { continue }
                guard cell.claims.contains(where: { $0.value.isSame(as: seen.value) }) else {
                    throw failure(
                        "a request was stored twice", place, expected: "\(delivery.name) not stored",
                        got: "\(seen.value) by \(seen.by)")
                }
            }
        }
    }

    /// Holds a reading against the model, and remembers what it saw.
    func check(_ reading: Reading) throws {
        try state.withLock { state in
            let cells = state.cells[reading.tenant] ?? [:]
            for (place, cell) in cells where cell.acceptedAt <= reading.began && reading.covers(place) {
                guard reading.samples[place] == nil else { continue }
                throw failure(
                    "a sample is missing", place, expected: Self.text(cell, state.deliveries),
                    got: "nothing by \(reading.way)")
            }
            for (place, value) in reading.samples {
                guard reading.covers(place), let cell = cells[place], !cell.claims.isEmpty else {
                    throw failure(
                        "a sample that was never sent, or not asked for", place, expected: "nothing",
                        got: "\(value) by \(reading.way)")
                }
                try check(value, at: place, of: cell, state.deliveries, by: reading.way)
                if cell.seen == nil { state.cells[reading.tenant]?[place]?.seen = (value, reading.way) }
            }
        }
    }

    private func check(
        _ value: Double, at place: SamplePlace, of cell: Cell, _ deliveries: [Delivery], by way: String
    ) throws {
        let senders = cell.claims.filter { $0.value.isSame(as: value) }
        guard senders.contains(where: { deliveries[$0.delivery].announcedAt <= cell.acceptedAt }) else {
            throw failure(
                "the value of a later request", place, expected: Self.text(cell, deliveries), got: "\(value) by \(way)")
        }
        if let seen = cell.seen, !seen.value.isSame(as: value) {
            throw failure(
                "a value that was seen has changed", place,
                expected: "\(seen.value) as by \(seen.by); \(Self.text(cell, deliveries))", got: "\(value) by \(way)")
        }
    }

    private static func text(_ cell: Cell, _ deliveries: [Delivery]) -> String {
        let claims = cell.claims.map { claim in
            let delivery = deliveries[claim.delivery]
            return "\(claim.value) of \(delivery.name) sent at \(delivery.announcedAt)"
        }
        let accepted = cell.acceptedAt == .max ? "none accepted" : "first accepted at \(cell.acceptedAt)"
        return "one of [\(claims.joined(separator: ", "))], \(accepted)"
    }

    private func failure(_ what: String, _ place: SamplePlace, expected: String, got: String) -> HistoryFailure {
        HistoryFailure(
            seed: seed, what: "\(what): series \(place.series), ts \(place.ts): expected \(expected), got \(got)")
    }
}

extension Double {
    /// Bit for bit, since -0.0 == 0.0.
    func isSame(as other: Double) -> Bool { bitPattern == other.bitPattern }
}

/// What a history found wrong, and the seed that it comes from.
struct HistoryFailure: Error, CustomStringConvertible {
    let seed: UInt64
    let what: String

    var description: String { "\(what) (SOAK_SEED=\(seed))" }
}
