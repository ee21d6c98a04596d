import Postgres
import Shared
import Support

@testable import Ingest

/// One request on its way: sent until it is answered, however often connections break, and the model told of each step.
struct RequestDelivery {
    /// One record that was handed to a process, maybe several times.
    struct Attempt {
        let record: MetricRecord
        let id: SampleModel.DeliveryID
        /// It ended in an error, which does not say what became of it.
        var mayBeStored = false
    }

    let request: GatewayRequest
    let shop: Shop
    let arrival: Timestamp
    let ground: HistoryGround
    private(set) var attempts: [Attempt] = []
    private var tries: Int64 = 0
    private var random: SplitMix

    init(_ request: GatewayRequest, arrival: Timestamp, ground: HistoryGround, random: SplitMix) {
        (self.request, self.arrival, self.ground, self.random) = (request, arrival, ground, random)
        shop = ground.shops[request.shop]
    }

    /// Until it is answered. An impatient client sends to both processes at once now and then.
    mutating func deliver() async throws {
        while true {
            let isImpatient = request.isKnownAgain && Int.random(in: 0..<12, using: &random) == 0
            var round = [try await nextAttempt()]
            if isImpatient { round.append(try await nextAttempt()) }
            let records = round.map { attempts[$0].record }
            let answers = try await submit(records)
            for (attempt, answer) in zip(round, answers) where answer == nil { attempts[attempt].mayBeStored = true }
            let stored = zip(round, answers).filter { $0.1 == .stored }.map(\.0)
            guard stored.count < 2 else { throw failure("was stored twice") }
            if let attempt = stored.first {
                return try settle(on: [attempts[attempt].id])
            }
            if answers.contains(.duplicate) {
                let stored = Set(attempts.filter(\.mayBeStored).map(\.id))
                guard !stored.isEmpty else { throw failure("was answered as a duplicate at once") }
                return try settle(on: stored)
            }
            try await Task.sleep(for: .milliseconds(Int.random(in: 1...20, using: &random)))
        }
    }

    /// Sends it again after it was answered: it must be known. Again from its body, so rows without a time would get another.
    ///
    /// - Parameter turn: of the ring of keys when the request was sent first.
    mutating func resend(sentInTurn turn: Int) async throws {
        let record = try await prepared()
        let isOther = !request.everySampleHasOwnTime
        let id = isOther ? ground.model.announce(request.name + " sent again", record.samples, of: shop.tenant.id) : nil
        var answer: MetricOutcome?
        while answer == nil { answer = try await submit([record])[0] }
        if answer == .stored {
            guard ground.ring.mayHaveForgotten(turn) else { throw failure("was stored again") }
            ground.tally.count(.stored)
        }
        if let id { try ground.model.withdraw(id) }
    }

    /// - Parameter stored: the deliveries of which one is stored.
    private func settle(on stored: Set<SampleModel.DeliveryID>) throws {
        for id in Set(attempts.map(\.id)).subtracting(stored) { try ground.model.withdraw(id) }
        if let id = stored.first, stored.count == 1 { ground.model.accept(id) }
        ground.tally.count(.stored)
    }

    /// The record of an earlier attempt, as a process tries again by itself, or one made anew, as a client does.
    private mutating func nextAttempt() async throws -> Int {
        let last = attempts.indices.last
        if let last, !request.isKnownAgain || Bool.random(using: &random) { return last }
        let record = try await prepared()
        let known = request.everySampleHasOwnTime ? attempts.first?.id : nil
        let id = known ?? ground.model.announce(request.name, record.samples, of: shop.tenant.id)
        attempts.append(Attempt(record: record, id: id))
        return attempts.count - 1
    }

    /// The record, held against what the request says.
    private mutating func prepared() async throws -> MetricRecord {
        while true {
            tries += 1
            let now = arrival.adding(milliseconds: 137 * (tries - 1))
            do {
                let record = try await ground.processes[process()].prepare(request.body, for: shop.credential, at: now)
                try check(record.samples, arrivedAt: now.microseconds)
                return record
            } catch {
                try ground.tolerate(error)
            }
        }
    }

    private func check(_ run: SampleRun, arrivedAt now: Int64) throws {
        let samples = request.samples
        guard run.count == samples.count else { throw failure("has \(run.count) good rows of \(samples.count)") }
        for (index, sample) in samples.enumerated() {
            guard run.ts[index] == sample.ts ?? now, run.values[index].isSame(as: sample.value) else {
                throw failure("row \(index) became \(run.ts[index]), \(run.values[index]): \(request.rows[index].text)")
            }
            guard ground.names.isConsistent(sample.series, ofShop: request.shop, run.series[index]) else {
                throw failure("series \(sample.series) became \(run.series[index])")
            }
        }
    }

    /// Each to another process; nil where the answer was an error.
    private mutating func submit(_ records: [MetricRecord]) async throws -> [MetricOutcome?] {
        let first = process()
        let ground = ground
        async let other = records.count < 2 ? nil : ground.answer(records[1], from: ground.other(than: first))
        let answer = try await ground.answer(records[0], from: first)
        let otherAnswer = try await other
        return records.count < 2 ? [answer] : [answer, otherAnswer]
    }

    private mutating func process() -> Int { Int.random(in: 0..<ground.processes.count, using: &random) }

    private func failure(_ what: String) -> HistoryFailure {
        HistoryFailure(seed: ground.plan.seed, what: "the request of \(request.name) \(what)")
    }
}
