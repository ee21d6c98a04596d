import Foundation
import Support

/// A gateway and a sensor as one: sends batches and uplinks, again until they are acknowledged, and now and then once more.
struct SoakSender: Sendable {
    let installation: Installation
    let tenant: Installation.Tenant
    /// Among the tenant's.
    let place: Int
    /// Among all.
    let id: Int
    let ledger: SoakLedger
    /// Between two requests.
    let pace: ClosedRange<Int>

    var store: String { String(format: "T%02d", place + 1) }
    var deviceEUI: String { Sensor.deviceEUI(place) }

    /// Returns when it is told to stop and has an answer to all it sent.
    func run(until stop: Flag, seed: UInt64) async throws {
        var random = SplitMix(state: seed ^ UInt64(id) << 32)
        var recent: [(request: SoakRequest, wasStored: Bool)] = []
        while !stop.isRaised {
            let kind = SoakRequest.Kind.allCases.randomElement(using: &random) ?? .timed
            let request = SoakRequest(kind: kind, number: ledger.nextNumber(of: id))
            if let outcome = try await deliver(request), kind.mayBeSentAgain {
                recent = recent.suffix(50) + [(request, outcome != .spooled)]
            }
            if Int.random(in: 0..<8, using: &random) == 0, let again = recent.randomElement(using: &random) {
                try await sendAgain(again.request, wasStored: again.wasStored)
            }
            if Int.random(in: 0..<30, using: &random) == 0 { try await forge(ledger.nextNumber(of: id)) }
            try await Task.sleep(for: .milliseconds(Int.random(in: pace, using: &random)))
        }
    }

    /// Makes the tenant's store, sensor and integration known to an ingest that may be new.
    func introduce() async throws {
        for kind in [SoakRequest.Kind.timed, .uplink] {
            _ = try await deliver(SoakRequest(kind: kind, number: ledger.nextNumber(of: id)))
        }
    }

    /// Nil for what had no answer and can't be sent again.
    private func deliver(_ request: SoakRequest) async throws -> SoakOutcome? {
        for attempt in 1... {
            // No answer while ingest is not there, and none that promises anything while it knows nobody yet.
            guard let answer = try? await request.send(self), ![429, 503].contains(answer.status) else {
                try Task.checkCancellation()
                ledger.count(.unanswered)
                guard request.kind.mayBeSentAgain else {
                    ledger.giveUp(request)
                    return nil
                }
                try await Task.sleep(for: .milliseconds(100)) // as a sender would
                continue
            }
            guard let outcome = request.outcome(answer), attempt > 1 || outcome != .duplicate else {
                throw unexpected(answer, to: request)
            }
            ledger.acknowledge(request)
            ledger.count(outcome == .spooled ? .spooled : .stored)
            return outcome
        }
        return nil
    }

    private func sendAgain(_ request: SoakRequest, wasStored: Bool) async throws {
        guard let answer = try? await request.send(self), ![429, 503].contains(answer.status) else {
            return ledger.count(.unanswered)
        }
        // What was spooled may be stored by its resent copy, and is the duplicate itself then.
        guard let outcome = request.outcome(answer), outcome != .stored || !wasStored else {
            throw unexpected(answer, to: request)
        }
        ledger.count(.duplicate)
    }

    /// An uplink with a signature that is not its own is nobody's.
    private func forge(_ number: Int) async throws {
        let uplink: [String: Any] = ["device_eui": deviceEUI, "fcnt": number, "payload": ["count": number]]
        guard
            let answer = try? await installation.client.postSigned(
                installation.ingestURL + "/v1/webhooks/" + tenant.integrationID, json: uplink, secret: "another")
        else { return }
        guard answer.status == 401 || answer.status == 503 || answer.status == 429 else {
            throw SoakLedger.Failure(description: "a forged uplink was answered \(answer.status) \(answer.text)")
        }
        ledger.count(.forged)
    }

    private func unexpected(_ answer: TestClient.Answer, to request: SoakRequest) -> SoakLedger.Failure {
        .init(description: "\(request.kind) \(request.number) was answered \(answer.status) \(answer.text)")
    }
}
