import Foundation
import Postgres
import Support
import Testing

@testable import Ingest

/// The rules of duplicates and rejoins, one by one.
struct DeviceHistoryTests {
    private static let noon = Timestamp(milliseconds: 1_790_000_000_000)

    private func fresh() -> DeviceHistory {
        DeviceHistory(epochCount: 0, current: nil, epochs: [], keys: [], ids: [:])
    }

    private static let payloads = [UUID(), UUID(), UUID()]

    private func uplink(
        _ fcnt: Int64, reference: String = "a", port: Int16? = 2, payload: Int = 0, secondsLater: Int64? = 0,
        id: UUID? = nil
    ) -> UplinkFingerprint {
        UplinkFingerprint(
            reference: reference, fcnt: fcnt, fPort: port, payloadHash: Self.payloads[payload],
            networkAt: secondsLater.map { Self.noon.adding(seconds: $0) }, idHash: id)
    }

    private func decide(_ uplink: UplinkFingerprint, _ history: inout DeviceHistory) -> DeviceHistory.Decision {
        history.decide(uplink, receivedAt: uplink.networkAt ?? Self.noon)
    }

    @Test func aNewReferenceOpensAnEpoch() {
        var history = fresh()
        #expect(decide(uplink(42), &history) == .new(epoch: 0))
        #expect(decide(uplink(43, secondsLater: 60), &history) == .new(epoch: 0))
        #expect(decide(uplink(0, reference: "b", secondsLater: 120), &history) == .new(epoch: 1))
        #expect(history.epochCount == 2)
    }

    @Test func aReferenceThatComesBackGoesOnInItsEpoch() {
        var history = fresh()
        _ = decide(uplink(10), &history)
        _ = decide(uplink(0, reference: "b", secondsLater: 60), &history)
        #expect(decide(uplink(11, secondsLater: 120), &history) == .new(epoch: 0))
        #expect(decide(uplink(1, reference: "b", secondsLater: 180), &history) == .new(epoch: 1))
    }

    @Test func theSameCounterPortPayloadAndTimeIsADuplicate() {
        var history = fresh()
        _ = decide(uplink(7), &history)
        #expect(decide(uplink(7, secondsLater: 48), &history) == .duplicate(of: .init(epoch: 0, fcnt: 7)))
        #expect(decide(uplink(7, secondsLater: 3_600), &history) == .duplicate(of: .init(epoch: 0, fcnt: 7)))
        #expect(
            decide(uplink(7, secondsLater: nil), &history) == .duplicate(of: .init(epoch: 0, fcnt: 7)), "no time given")
    }

    @Test(arguments: [
        ("an hour and a second later", 0, Int16(2), Int64(3_601)), ("another payload", 1, 2, 48),
        ("another port", 0, 3, 48),
    ])
    func theSameCounterWithAnythingElseIsARestart(_ what: String, payload: Int, port: Int16, later: Int64) {
        var history = fresh()
        _ = decide(uplink(7), &history)
        #expect(
            decide(uplink(7, port: port, payload: payload, secondsLater: later), &history) == .new(epoch: 1), "\(what)")
    }

    @Test func aLowerCounterIsLateOrARestartByItsTime() {
        var history = fresh()
        _ = decide(uplink(100), &history)
        #expect(decide(uplink(98, secondsLater: -30), &history) == .new(epoch: 0), "late")
        #expect(decide(uplink(97, secondsLater: 600), &history) == .new(epoch: 0), "ten minutes are still late")
        #expect(decide(uplink(96, secondsLater: nil), &history) == .new(epoch: 0), "late, for all we know")
        #expect(decide(uplink(0, secondsLater: 601), &history) == .new(epoch: 1), "restarted")
        #expect(decide(uplink(1, secondsLater: 661), &history) == .new(epoch: 1))
    }

    /// The time that counts is the highest counter's own, not that of one before it.
    @Test func nothingIsLaterThanAHighestWithoutATime() {
        var history = fresh()
        _ = decide(uplink(1, secondsLater: -3_600), &history)
        _ = decide(uplink(3, secondsLater: nil), &history)
        #expect(decide(uplink(2, secondsLater: -1_800), &history) == .new(epoch: 0), "late")
    }

    @Test func aRestartedDeviceKeepsItsOldDuplicatesKnown() {
        var history = fresh()
        _ = decide(uplink(100), &history)
        _ = decide(uplink(0, secondsLater: 700), &history)
        #expect(decide(uplink(100, secondsLater: 5), &history) == .duplicate(of: .init(epoch: 0, fcnt: 100)))
    }

    @Test func anUplinkIDIsKnownInAnyEpoch() {
        let id = UUID()
        var history = fresh()
        _ = decide(uplink(5, id: id), &history)
        let again = uplink(9, reference: "b", payload: 1, secondsLater: 86_400, id: id)
        #expect(decide(again, &history) == .duplicate(of: .init(epoch: 0, fcnt: 5)))
        #expect(history.epochCount == 1, "it opened nothing")
    }

    @Test func noReferenceIsAReferenceOfItsOwn() {
        var history = fresh()
        #expect(decide(uplink(3, reference: ""), &history) == .new(epoch: 0))
        #expect(decide(uplink(4, reference: ""), &history) == .new(epoch: 0))
    }

    /// Loaded for each group from what it would have written, it decides as if it had never been away; and mostly from the current
    /// epoch alone.
    /// - Parameter steady: of a hundred uplinks, those that continue the counter.
    @Test(arguments: [0, 50, 95], 0..<8) func whatIsWrittenIsEnoughToGoOn(steady: Int, seed: UInt64) {
        var random = SplitMix(state: seed)
        var whole = fresh()
        var written = Written()
        var now: Int64 = 0
        for _ in 0..<150 {
            let group = (0..<Int.random(in: 1...6, using: &random)).map { place -> UplinkFingerprint in
                now += Int64.random(in: 0...400, using: &random)
                let goesOn = Int.random(in: 0..<100, using: &random) < steady
                let reference = ["a", "b", "c"].randomElement(using: &random) ?? "a"
                return uplink(
                    goesOn
                        ? (written.current?.epoch.highestFcnt ?? 0) + Int64(place) + 1
                        : Int64.random(in: 0...12, using: &random),
                    reference: goesOn ? written.current?.epoch.reference ?? reference : reference,
                    payload: Int.random(in: 0...1, using: &random),
                    secondsLater: now + Int64.random(in: -900...0, using: &random))
            }
            var reloaded = written.history(for: group, epochCount: whole.epochCount)
            for next in group {
                let expected = decide(next, &whole)
                #expect(decide(next, &reloaded) == expected)
                if case .new(let epoch) = expected { written.remember(next, in: epoch, reloaded) }
            }
            #expect(reloaded.epochCount == whole.epochCount)
            written.take(reloaded)
        }
        #expect(written.searches > 0 && (steady < 95 || written.searches < written.uplinks))
    }

    /// A device's rows, and what a group reads of them.
    private struct Written {
        var current: CurrentEpoch?
        var epochs: [Int32: DeviceEpoch] = [:]
        var keys: [DeviceHistory.Position: UplinkKey] = [:]
        var searches = 0
        var uplinks = 0

        mutating func history(for group: [UplinkFingerprint], epochCount: Int32) -> DeviceHistory {
            let unusual = group.filter { current?.isSurelyContinued(by: $0) != true }
            uplinks += group.count
            searches += unusual.count
            let recent = Dictionary(grouping: epochs.values, by: \.reference)
                .flatMap { $1.sorted { $0.epoch < $1.epoch }.suffix(DeviceHistory.epochsSearched) }
                .filter { epoch in unusual.contains { $0.reference == epoch.reference } }
            let found = keys.values.filter { key in
                recent.contains { $0.epoch == key.epoch } && unusual.contains { $0.fcnt == key.fcnt }
            }
            return DeviceHistory(
                epochCount: epochCount, current: current, epochs: recent, keys: found, ids: [:])
        }

        mutating func remember(_ uplink: UplinkFingerprint, in epoch: Int32, _ history: DeviceHistory) {
            let position = DeviceHistory.Position(epoch: epoch, fcnt: uplink.fcnt)
            #expect(keys[position] == nil, "a key is never stored twice")
            keys[position] = history.key(at: position)
        }

        mutating func take(_ history: DeviceHistory) {
            for epoch in history.changedEpochs { epochs[epoch.epoch] = epoch }
            current = history.current
        }
    }
}
