import Shared
import Support

@testable import Ingest

/// A gateway that sends one request after another, to any store, through any process.
struct GatewayClient {
    private struct Sent {
        let request: GatewayRequest
        let step: Int
        /// Of the ring of keys, before it was sent.
        let turn: Int
    }

    let number: Int
    let ground: HistoryGround

    func run() async throws {
        var generator = RequestGenerator(client: number, random: ground.plan.random(.client, number))
        var chance = ground.plan.random(.delivery, number)
        var sent: [Sent] = []
        for step in 0..<ground.plan.stepsPerClient {
            try Task.checkCancellation()
            let shop = generator.pick(0..<ground.shops.count)
            let kind = generator.pick(0..<10)
            let request: GatewayRequest?
            switch kind {
            case 0, 1: request = generator.regrouped(sent.map(\.request), step: step, shop: shop, anew: kind == 0)
            case 2:
                if !sent.isEmpty { try await resend(sent[generator.pick(0..<sent.count)], now: step, chance) }
                continue
            default: request = generator.new(step: step, shop: shop, now: ground.plan.arrival(step: step))
            }
            guard let request else { continue }
            var delivery = RequestDelivery(
                request, arrival: ground.plan.arrival(step: step), ground: ground,
                random: SplitMix(state: chance.next()))
            let turn = try await ground.ring.inFlight { turn in
                try await delivery.deliver()
                return turn
            }
            sent.append(Sent(request: request, step: step, turn: turn))
            ground.tally.count(.requests)
            ground.tally.count(.samples, request.samples.count)
        }
    }

    /// Rows without a time are protected by their key alone, so they are not sent again once it may be forgotten.
    private func resend(_ sent: Sent, now step: Int, _ random: SplitMix) async throws {
        guard sent.request.isKnownAgain else { return }
        try await ground.ring.inFlight { _ in
            guard sent.request.everySampleHasOwnTime || ground.ring.stands(at: sent.turn) else { return }
            var delivery = RequestDelivery(
                sent.request, arrival: ground.plan.arrival(step: step), ground: ground, random: random)
            try await delivery.resend(sentInTurn: sent.turn)
            ground.tally.count(.resends)
        }
    }
}
