import Foundation
import Logging
import Postgres
import Shared
import Support
import Testing

@testable import Ingest

/// A device's occupancy against a naive model: whatever the order in which its readings come, the state is the newest reading's, and
/// begins where the run of such readings does.
@Suite struct OccupancyStateTests {
    private struct State: RowDecodable, Equatable {
        let occupied: Bool?
        let at, since: Timestamp?

        init(_ row: Row) throws {
            occupied = try row["occupied"]
            at = try row["occupied_at"]
            since = try row["occupied_since"]
        }

        /// - Parameter readings: by their times.
        init(of readings: [Int64: Bool]) {
            let sorted = readings.sorted { $0.key < $1.key }
            occupied = sorted.last?.value
            at = sorted.last.map { Timestamp(secondsSinceEpoch: $0.key) }
            var since: Int64?
            for (index, reading) in sorted.enumerated() {
                let goesOn =
                    index > 0 && sorted[index - 1].value == reading.value
                    && reading.key - sorted[index - 1].key <= interval
                if !goesOn { since = reading.key }
            }
            self.since = since.map { Timestamp(secondsSinceEpoch: $0) }
        }
    }

    /// Seconds; the profile's.
    private static let interval: Int64 = 600
    private static let start: Int64 = 1_790_000_000
    private static let eui = "70b3d57ed0000001"

    private static let state: Statement<State> = "SELECT occupied, occupied_at, occupied_since FROM device_states"

    @Test(arguments: 1...12 as ClosedRange<UInt64>)
    func anyOrderComesToTheSame(_ seed: UInt64) async throws {
        try await MigratedDatabase.withClone { clone in
            let tenant = try await clone.plantTenant("acme")
            try await clone.plantDevices([Self.eui], of: tenant)
            let series = try await Self.furnish(clone, tenant)
            try await clone.withPool(as: .ingest) { database in
                try await clone.withPool(as: .system) { system in
                    let owners = OwnerDirectory(database: database, capacity: 10, patience: .seconds(30)) { _ in }
                    let writer = UplinkGroupWriter(pool: database.pool, logger: .silent)
                    var random = SplitMix(state: seed)
                    var model: [Int64: Bool] = [:]
                    var fcnt: UInt32 = 0
                    for round in 0..<40 {
                        let group = try await (0..<Int.random(in: 1...3, using: &random)).asyncMap { _ in
                            let uplinks = try (0..<Int.random(in: 1...3, using: &random)).map { _ in
                                fcnt += 1
                                // Mostly in order, often late, sometimes much later than the profile expects.
                                let late =
                                    Int64.random(in: 0...1, using: &random)
                                    * Int64.random(in: 0...3_000, using: &random)
                                let leap =
                                    Int.random(in: 0..<9, using: &random) == 0
                                    ? Int64.random(in: 0...100_000, using: &random) : 0
                                let time = Self.start + Int64(round) * 200 + leap - late
                                let says = Int.random(in: 0..<5, using: &random) > 0 ? Bool.random(using: &random) : nil
                                if let says, model[time] == nil { model[time] = says }
                                return try Self.uplink(fcnt, at: time, says)
                            }
                            return try await Self.submission(uplinks, series, tenant, owners)
                        }
                        let results = await writer.write(group)
                        #expect(try results.allSatisfy { try $0.get().allSatisfy { $0 == .stored } })
                        let state = try await clone.asSuperuser { try await $0.first(Self.state) }
                        #expect(state == State(of: model), "seed \(seed), round \(round)")
                        if Int.random(in: 0..<6, using: &random) == 0 { try await Self.compact(system, tenant) }
                    }
                }
            }
        }
    }

    /// A profile, the series of its field, and the device in a space that shows the state.
    private static func furnish(_ clone: MigratedDatabase, _ tenant: Tenant) async throws -> Int32 {
        let id: Int32? = try await clone.asSuperuser { connection in
            let profile = UUID.v7()
            try await connection.run(
                """
                INSERT INTO device_profiles (tenant_id, id, name, occupied_field, expected_interval_s)
                VALUES (\(tenant.id), \(profile), 'P', 'parking.taken', \(Int32(interval)))
                """)
            try await connection.run("UPDATE devices SET profile_id = \(profile)")
            try await connection.run(
                """
                INSERT INTO series (tenant_id, owner_id, metric, identity)
                SELECT tenant_id, owner_id, 'parking.taken', md5('x')::uuid FROM devices
                """)
            return try await connection.first("SELECT id FROM series")
        }
        return try #require(id)
    }

    private static func uplink(_ fcnt: UInt32, at time: Int64, _ says: Bool?) throws -> Uplink {
        Uplink(
            deviceEUI: try #require(DeviceEUI(eui)), fcnt: fcnt, fPort: 2, devAddr: "26011bda", session: "s\(fcnt)",
            uplinkID: nil,
            receivedAt: Timestamp(secondsSinceEpoch: time), clockUsed: false, rssi: -97, snr: 7, gatewayID: nil,
            data: nil,
            payload: "{}", leaves: says.map { [.init(name: "parking.taken", value: $0 ? 1 : 0)] } ?? [],
            leavesDropped: 0)
    }

    private static func submission(
        _ uplinks: [Uplink], _ series: Int32, _ tenant: Tenant, _ owners: OwnerDirectory
    ) async throws -> UplinkSubmission {
        let found = try await owners.owners(
            of: Set(uplinks.map(\.deviceEUI)), tenant: tenant, integrationID: UUID(), seenAt: .now())
        return UplinkSubmission(
            tenant: tenant, integrationID: UUID(), messageHash: nil, arrivedAt: .now(),
            uplinks: try uplinks.map { uplink in
                ResolvedUplink(
                    uplink: uplink, owner: try #require(found[uplink.deviceEUI]),
                    samples: uplink.leaves.map { (series: series, value: $0.value) })
            })
    }

    private static func compact(_ system: Database, _ tenant: Tenant) async throws {
        let compaction = Compaction(
            database: system, interval: .zero, metrics: CompactionMetrics(MetricRegistry()),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let owner: [Int32] = try await system.read(tenant, "SELECT owner_id FROM devices")
        for owner in owner { while try await compaction.compactSome(owner, of: tenant) > 0 {} }
    }
}

extension Sequence {
    fileprivate func asyncMap<Value>(_ body: (Element) async throws -> Value) async rethrows -> [Value] {
        var values: [Value] = []
        for element in self { values.append(try await body(element)) }
        return values
    }
}
