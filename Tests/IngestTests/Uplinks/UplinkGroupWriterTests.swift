import Foundation
import Logging
import Postgres
import Shared
import Support
import Testing

@testable import Ingest

/// Uplinks into a real database: what races, what is refused, what goes stale.
@Suite
struct UplinkGroupWriterTests {
    private static let integration = UUID()
    private static let noon = Timestamp(milliseconds: 1_790_000_000_000)

    private func withWriter(
        through host: String? = nil,
        _ body: @Sendable (MigratedDatabase, Tenant, UplinkGroupWriter, OwnerDirectory) async throws -> Void
    ) async throws {
        try await MigratedDatabase.withClone { clone in
            let tenant = try await clone.plantTenant("acme")
            try await clone.withPool(as: .ingest, maxConnections: 16, through: host) { database in
                let owners = OwnerDirectory(database: database, capacity: 1_000, patience: .seconds(30)) { _ in }
                try await body(clone, tenant, UplinkGroupWriter(pool: database.pool, logger: .silent), owners)
            }
        }
    }

    private func uplink(
        _ eui: String, _ fcnt: UInt32, secondsLater: Int64 = 0, payload: String? = #"{"occupied":true}"#,
        gateway: String? = nil
    ) throws -> Uplink {
        Uplink(
            deviceEUI: try #require(DeviceEUI(eui)), fcnt: fcnt, fPort: 2, devAddr: "26011bda", session: nil,
            uplinkID: nil,
            receivedAt: Self.noon.adding(seconds: secondsLater), clockUsed: false, rssi: -97, snr: 7,
            gatewayID: gateway,
            data: nil, payload: payload, leaves: [.init(name: "occupied", value: 1)], leavesDropped: 0)
    }

    private func submission(
        _ uplinks: [Uplink], _ tenant: Tenant, _ owners: OwnerDirectory, message: UUID? = nil
    ) async throws -> UplinkSubmission {
        let found = try await owners.owners(
            of: Set(uplinks.map(\.deviceEUI)), tenant: tenant, integrationID: Self.integration, seenAt: .now())
        return UplinkSubmission(
            tenant: tenant, integrationID: Self.integration, messageHash: message, arrivedAt: .now(),
            uplinks: try uplinks.map {
                ResolvedUplink(uplink: $0, owner: try #require(found[$0.deviceEUI]), samples: [])
            })
    }

    /// The answer to COMMIT is lost: the writer finds out what became of the group, and nothing counts as sent again.
    @Test(arguments: [StallingProxy.Break.before, .after])
    func aLostConnectionLeavesNoDoubt(_ when: StallingProxy.Break) async throws {
        try await StallingProxy.withServer { proxy, host in
            try await withWriter(through: host) { clone, tenant, writer, owners in
                try await clone.plantDevices(["70b3d57ed0000000"], of: tenant)
                let uplinks = try (1...2).map { try uplink("70b3d57ed0000000", $0, secondsLater: Int64($0)) }
                let group = [try await submission(uplinks, tenant, owners)]
                // In the pipeline that ends with COMMIT.
                proxy.breakOnce(when, "INSERT INTO uplink_keys")
                let results = await writer.write(group)
                let duplicates: [Int32] = try await clone.asSuperuser {
                    try await $0.all("SELECT duplicates FROM uplinks")
                }
                switch when {
                case .before:
                    #expect(results.allSatisfy { (try? $0.get()) == nil }, "to be sent again")
                    #expect(duplicates == [])
                case .after:
                    #expect(try results.map { try $0.get() } == [[.stored, .stored]])
                    #expect(duplicates == [0, 0])
                }
            }
        }
    }

    /// Sessions and counters over several groups, from what the tables remember of them.
    @Test func rejoinsAndRestartsAreTold() async throws {
        try await withWriter { clone, tenant, writer, owners in
            try await clone.plantDevices(["70b3d57ed0000001"], of: tenant)
            func send(_ fcnt: UInt32, _ session: String, _ later: Int64) async throws -> UplinkOutcome? {
                var uplink = try uplink("70b3d57ed0000001", fcnt, secondsLater: later)
                uplink.session = session
                return try await writer.write([try await submission([uplink], tenant, owners)])[0].get().first
            }
            #expect(try await send(10, "a", 0) == .stored)
            #expect(try await send(11, "a", 60) == .stored)
            #expect(try await send(0, "b", 120) == .stored, "it joined anew")
            #expect(try await send(1, "b", 180) == .stored)
            #expect(try await send(12, "a", 240) == .stored, "the session comes back")
            #expect(try await send(11, "a", 60) == .duplicate)
            #expect(try await send(1, "b", 180) == .duplicate)
            #expect(try await send(3, "a", 7_200) == .stored, "it restarted")
            #expect(try await send(12, "a", 240) == .duplicate, "of the life before")
            #expect(try await send(12, "a", 7_800) == .stored)
            let epochs: [String] = try await clone.asSuperuser {
                try await $0.all("SELECT fcnt || ' in ' || epoch FROM uplink_keys ORDER BY received_at, fcnt")
            }
            #expect(epochs == ["10 in 0", "11 in 0", "0 in 1", "1 in 1", "12 in 0", "3 in 2", "12 in 2"])
        }
    }

    /// A process of before the state knew the epoch wrote in between: the keys decide, not the state.
    @Test func aStateThatIsBehindItsKeysLosesNothing() async throws {
        try await withWriter { clone, tenant, writer, owners in
            try await clone.plantDevices(["70b3d57ed0000001"], of: tenant)
            func send(_ fcnt: UInt32, _ later: Int64, payload: String) async throws -> UplinkOutcome? {
                let uplink = try uplink("70b3d57ed0000001", fcnt, secondsLater: later, payload: payload)
                return try await writer.write([try await submission([uplink], tenant, owners)])[0].get().first
            }
            for fcnt in 10...20 {
                #expect(try await send(UInt32(fcnt), Int64(fcnt), payload: #"{"n":1}"#) == .stored)
            }
            try await clone.asSuperuser { connection in
                try await connection.run("UPDATE device_states SET highest_fcnt = 10")
                try await connection.run("UPDATE device_epochs SET highest_fcnt = 20")
            }
            #expect(try await send(15, 15, payload: #"{"n":1}"#) == .duplicate)
            try await clone.asSuperuser { try await $0.run("UPDATE device_states SET highest_fcnt = 10") }
            #expect(try await send(16, 9_000, payload: #"{"n":2}"#) == .stored, "a restart")
            try await clone.asSuperuser {
                try await $0.run("UPDATE device_states SET epoch = NULL, reference = NULL, highest_fcnt = NULL")
            }
            #expect(try await send(17, 9_060, payload: #"{"n":2}"#) == .stored, "as before the migration")
            #expect(try await send(15, 15, payload: #"{"n":1}"#) == .duplicate)
            let epochs: [Int32] = try await clone.asSuperuser {
                try await $0.all(
                    "SELECT epoch FROM uplink_keys WHERE received_at > \(Self.noon.adding(seconds: 8_000))")
            }
            #expect(epochs == [1, 1])
        }
    }

    /// Many writers bring the same uplinks in different orders at once: each is stored once, none is lost, nobody deadlocks.
    @Test func racesLeaveOneRowOfEach() async throws {
        try await withWriter { clone, tenant, writer, owners in
            try await clone.plantDevices((0..<5).map { "70b3d57ed000000\($0)" }, of: tenant)
            var all: [UplinkSubmission] = []
            for device in 0..<5 {
                for fcnt in 0..<10 {
                    let uplink = try uplink("70b3d57ed000000\(device)", UInt32(fcnt), secondsLater: Int64(fcnt))
                    all.append(try await submission([uplink], tenant, owners))
                }
            }
            let submissions = all
            let outcomes = try await withThrowingTaskGroup(of: [UplinkOutcome].self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        try await writer.write(submissions.shuffled()).flatMap { try $0.get() }
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(outcomes.count == 8 * 50)
            #expect(outcomes.filter { $0 == .stored }.count == 50)
            #expect(outcomes.filter { $0 == .duplicate }.count == 7 * 50)
            let rows: [Int64] = try await clone.asSuperuser { try await $0.all("SELECT count(*) FROM uplinks") }
            #expect(rows == [50])
            let counted: [Int64] = try await clone.asSuperuser {
                try await $0.all("SELECT sum(duplicates) FROM uplinks")
            }
            #expect(counted == [350])
        }
    }

    @Test func duplicatesAddTheirGateways() async throws {
        try await withWriter { clone, tenant, writer, owners in
            try await clone.plantDevices(["70b3d57ed0000001"], of: tenant)
            for gateway in ["gw-2", "gw-1", "gw-2"] {
                let uplink = try uplink("70b3d57ed0000001", 7, gateway: gateway)
                _ = await writer.write([try await submission([uplink], tenant, owners)])
            }
            let gateways: [[String]] = try await clone.asSuperuser { try await $0.all("SELECT gateways FROM uplinks") }
            #expect(gateways == [["gw-1", "gw-2"]])
        }
    }

    /// A row that PostgreSQL refuses fails alone.
    @Test func aRefusedRowDoesNotFailItsNeighbours() async throws {
        try await withWriter { clone, tenant, writer, owners in
            try await clone.plantDevices(["70b3d57ed0000001"], of: tenant)
            let good = try (0..<6).map { try uplink("70b3d57ed0000001", UInt32($0), secondsLater: Int64($0)) }
            let bad = try uplink("70b3d57ed0000001", 99, secondsLater: 99, payload: "{")
            var group: [UplinkSubmission] = []
            for uplink in good[..<3] + [bad] + good[3...] {
                group.append(try await submission([uplink], tenant, owners))
            }
            let outcomes = try await writer.write(group).map { try $0.get() }
            #expect(
                outcomes == Array(repeating: [.stored], count: 3) + [[.refused]] + Array(repeating: [.stored], count: 3)
            )
        }
    }

    @Test func aKnownMessageAddsNothing() async throws {
        try await withWriter { clone, tenant, writer, owners in
            try await clone.plantDevices(["70b3d57ed0000001"], of: tenant)
            let message = UUID()
            let first = try await submission([try uplink("70b3d57ed0000001", 1)], tenant, owners, message: message)
            // The same id with other uplinks: still the same message.
            let again = try await submission(
                [try uplink("70b3d57ed0000001", 2, secondsLater: 60)], tenant, owners, message: message)
            #expect(try await writer.write([first]).map { try $0.get() } == [[.stored]])
            #expect(try await writer.write([again, first]).map { try $0.get() } == [[.duplicate], [.duplicate]])
        }
    }

    /// An orphan that was registered between look-up and lock is sent back, and nothing of its submission is written.
    @Test func aStaleOwnerIsSentBack() async throws {
        try await withWriter { clone, tenant, writer, owners in
            let stale = try await submission([try uplink("70b3d57ed0000001", 1)], tenant, owners)
            #expect(stale.uplinks.first?.owner.isOrphan == true)
            try await clone.asSuperuser { connection in
                try await connection.run(
                    """
                    WITH gone AS (DELETE FROM orphan_devices RETURNING tenant_id, owner_id, device_eui)
                    INSERT INTO devices (tenant_id, id, owner_id, device_eui, name)
                    SELECT tenant_id, gen_random_uuid(), owner_id, device_eui, 'Claimed' FROM gone
                    """)
            }
            let outcome = try #require(await writer.write([stale]).first)
            #expect(throws: StaleOwner.self) { try outcome.get() }
            let keys: [Int64] = try await clone.asSuperuser { try await $0.all("SELECT count(*) FROM uplink_keys") }
            #expect(keys == [0])
        }
    }

    @Test func anOrphanKeepsItsLastHundred() async throws {
        try await withWriter { clone, tenant, writer, owners in
            for first in stride(from: 0, to: 150, by: 50) {
                let uplinks = try (first..<first + 50).map {
                    try uplink("70b3d57ed00000ff", UInt32($0), secondsLater: Int64($0))
                }
                let outcomes = try await writer.write([try await submission(uplinks, tenant, owners)])[0].get()
                #expect(outcomes.allSatisfy { $0 == .orphan })
            }
            let kept: [Int64] = try await clone.asSuperuser {
                try await $0.all("SELECT unnest(ARRAY[count(*), min(fcnt), max(fcnt)]) FROM orphan_uplinks")
            }
            #expect(kept == [100, 50, 149])
            let counted: [Int64] = try await clone.asSuperuser {
                try await $0.all("SELECT uplink_count FROM orphan_devices")
            }
            #expect(counted == [150])
            let said: [String] = try await clone.asSuperuser {
                try await $0.all("SELECT last_payload::text || last_rssi || last_snr FROM orphan_devices")
            }
            #expect(said == [#"{"occupied": true}-977"#], "what it said is shown, from its first uplink on")
        }
    }

    /// A late reading is stored and changes no state; a newer one does.
    @Test func stateFollowsTheNewestReading() async throws {
        try await withWriter { clone, tenant, writer, owners in
            try await clone.plantDevices(["70b3d57ed0000001"], of: tenant)
            var late = try uplink("70b3d57ed0000001", 4, secondsLater: -60)
            late.leaves = [.init(name: "occupied", value: 0)]
            for uplink in [try uplink("70b3d57ed0000001", 5), late] {
                let outcome = try await writer.write([try await submission([uplink], tenant, owners)])[0].get()
                #expect(outcome == [.stored])
            }
            let state: [Bool] = try await clone.asSuperuser { try await $0.all("SELECT occupied FROM device_states") }
            #expect(state == [true])
            let newest: [Timestamp] = try await clone.asSuperuser {
                try await $0.all("SELECT newest_at FROM device_states")
            }
            #expect(newest == [Self.noon])
        }
    }
}

extension MigratedDatabase {
    func plantDevices(_ deviceEUIs: [String], of tenant: Tenant) async throws {
        try await asSuperuser { connection in
            try await connection.run(
                """
                INSERT INTO devices (tenant_id, id, device_eui, name)
                SELECT \(tenant.id), gen_random_uuid(), eui, 'Sensor' FROM unnest(\(deviceEUIs)) AS w (eui)
                """)
        }
    }
}
