import Foundation
import Postgres
import Shared

/// Live traffic of the demo company, until cancelled.
struct DemoFeed: Sendable {
    /// Seconds between a store's batches.
    static let storeInterval = 5.0
    /// Seconds between a sensor's uplinks, about.
    static let sensorInterval = 45.0
    static let strangers = 5

    let demo: DemoFile
    let feed: FeedFile

    func run() async {
        let tally = SharedTally()
        let sender = FeedSender(ingestURL: demo.ingestURL, integration: demo.integration, tally: tally)
        await withTaskGroup(of: Void.self) { group in
            for store in feed.stores {
                group.addTask { try? await Self.runStore(store, sender) }
            }
            for (deviceEUI, kind) in Self.sensors {
                group.addTask { try? await Self.runSensor(SensorSimulation(deviceEUI: deviceEUI, kind: kind), sender) }
            }
            group.addTask { try? await DemoBooker(demo: demo, tally: tally).run() }
            group.addTask { try? await DemoKeeper(demo: demo).run() }
            group.addTask { try? await Self.report(tally) }
        }
    }

    private static var sensors: [(DeviceEUI, SensorSimulation.Kind)] {
        let registered = DemoPlaces.spaces.enumerated().map { position, space in
            (DemoPlaces.deviceEUI(position), kind(of: space))
        }
        return registered + (0..<strangers).map { (DemoPlaces.strangerEUI($0), .climate) }
    }

    private static func kind(of space: DemoPlaces.Space) -> SensorSimulation.Kind {
        switch space.profile {
        case DemoPlaces.bayProfile, DemoPlaces.fittingProfile: .bay
        case DemoPlaces.meetingProfile: .meetingRoom
        default: .climate
        }
    }

    /// One in fifty batches is sent twice, as gateways do that missed an answer.
    private static func runStore(_ store: FeedFile.Store, _ sender: FeedSender) async throws {
        var simulation = StoreSimulation()
        try await pause(.random(in: 0...storeInterval))
        while true {
            let batch = simulation.measure(at: .now(), seconds: storeInterval)
            try await sender.post(batch, key: store.key)
            if Int.random(in: 0..<50) == 0 { try await sender.post(batch, key: store.key) }
            try await pause(storeInterval * .random(in: 0.95...1.05))
        }
    }

    /// One in thirty uplinks is heard by a second gateway and sent again.
    private static func runSensor(_ sensor: SensorSimulation, _ sender: FeedSender) async throws {
        var sensor = sensor
        try await pause(.random(in: 0...sensorInterval))
        while true {
            let uplink = sensor.transmit(at: .now())
            try await sender.post(uplink)
            if Int.random(in: 0..<30) == 0 { try await sender.post(uplink) }
            try await pause(sensorInterval * .random(in: 0.7...1.3))
        }
    }

    private static func report(_ tally: SharedTally) async throws {
        while true {
            try await pause(30)
            let taken = tally.take()
            let refused = taken.refused > 0 ? ", \(taken.refused) refused" : ""
            let booked = "\(taken.booked) places booked, \(taken.taken) wishes refused"
            Console.complain("30 s: \(taken.requests) requests, \(taken.records) records taken\(refused); \(booked)")
        }
    }

    static func pause(_ seconds: Double) async throws {
        try await Task.sleep(for: .seconds(seconds))
    }
}
