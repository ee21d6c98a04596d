import Foundation
import Postgres
import Shared
import Support
import Testing

@testable import Admin

struct DeviceImportTests {
    private static let header = "device_eui,name,profile,site,space\n"

    @Test func theSameFileAgainChangesNothing() async throws {
        try await OperatedDatabase.with { operated in
            let csv =
                Self.header + """
                    70b3d57ed0000001,One,Bay,T01,A1
                    70b3d57ed0000002,,Bay,T02,
                    70b3d57ed0000003,"Three, the third",,,
                    """
            let first = try await operated.importDevices(csv, createSpaces: true)
            #expect(first.map(\.result) == [.created, .created, .created])
            let snapshot: Statement<String> = """
                SELECT string_agg(d::text, '|' ORDER BY device_eui) || (SELECT count(*) FROM audit_logs)
                       || (SELECT count(*) FROM spaces) || (SELECT count(*) FROM device_profiles)
                  FROM devices d
                """
            let before = try await operated.all(snapshot)
            let again = try await operated.importDevices(csv, createSpaces: true)
            #expect(again.map(\.result) == [.unchanged, .unchanged, .unchanged])
            #expect(try await operated.all(snapshot) == before)
            #expect(
                try await operated.all("SELECT name FROM devices ORDER BY device_eui" as Statement<String>)
                    == ["One", "70b3d57ed0000002", "Three, the third"])
        }
    }

    @Test func goodLinesAreStoredAlthoughOthersAreBad() async throws {
        try await OperatedDatabase.with { operated in
            let outcomes = try await operated.importDevices(
                Self.header + """
                    70b3d57ed0000001,One,,T01,
                    70b3d57ed0000002,Two,,T99,
                    nonsense,Three,,,
                    70b3d57ed0000004,Four,,T01,NOWHERE
                    70b3d57ed0000005,Five,,,
                    """)
            #expect(
                outcomes.map(\.result) == [
                    .created, .failed("there is no site T99"), .failed("device_eui is not 16 hex digits"),
                    .failed("site T01 has no space NOWHERE"), .created,
                ])
            #expect(outcomes.map(\.number) == [2, 3, 4, 5, 6])
            #expect(try await operated.count("SELECT count(*) FROM devices") == 2)
        }
    }

    @Test func columnsThatAreNotInTheFileStayAsTheyAre() async throws {
        try await OperatedDatabase.with { operated in
            _ = try await operated.importDevices(Self.header + "70b3d57ed0000001,One,Bay,T01,A1", createSpaces: true)
            let renamed = try await operated.importDevices("device_eui,name\n70b3d57ed0000001,Uno")
            #expect(renamed.map(\.result) == [.updated])
            #expect(
                try await operated.count(
                    """
                    SELECT count(*) FROM devices
                     WHERE name = 'Uno' AND profile_id IS NOT NULL AND site_id IS NOT NULL AND space_id IS NOT NULL
                    """) == 1)
            // The space lies in the site that is left.
            let moved = try await operated.importDevices("device_eui,site\n70b3d57ed0000001,T02")
            #expect(moved.map(\.result) == [.updated])
            #expect(try await operated.count("SELECT count(*) FROM devices WHERE space_id IS NULL") == 1)
        }
    }

    @Test func devicesOfOneFileCanChangePlaces() async throws {
        try await OperatedDatabase.with { operated in
            let two = "70b3d57ed0000001,One,,T01,A1\n70b3d57ed0000002,Two,,T01,A2"
            _ = try await operated.importDevices(Self.header + two, createSpaces: true)
            let swapped = try await operated.importDevices(
                Self.header + "70b3d57ed0000001,One,,T01,A2\n70b3d57ed0000002,Two,,T01,A1")
            #expect(swapped.map(\.result) == [.updated, .updated])
            let third = try await operated.importDevices(
                Self.header
                    + "70b3d57ed0000003,Three,,T01,A1\n70b3d57ed0000004,Four,,T02,B1\n70b3d57ed0000005,F,,T02,B1",
                createSpaces: true)
            #expect(
                third.map(\.result) == [
                    .failed("the space has the device 70b3d57ed0000002 already"), .created,
                    .failed("line 3 has the same space"),
                ])
        }
    }

    @Test func tenThousandLinesTakeTenTransactions() async throws {
        try await OperatedDatabase.with { operated in
            let lines = (0..<10_000).map {
                "\(DeviceEUI(bits: 0x70b3_d57e_d100_0000 + UInt64($0))),Sensor \($0),P,T01,"
            }
            let outcomes = try await operated.importDevices(Self.header + lines.joined(separator: "\n"))
            #expect(outcomes.count == 10_000 && outcomes.allSatisfy { $0.result == .created })
            #expect(try await operated.count("SELECT count(*) FROM devices") == 10_000)
            #expect(try await operated.count("SELECT count(DISTINCT xmin::text) FROM devices") == 10)
        }
    }

    /// A line that the database alone can refuse is named, and its neighbours are stored.
    @Test func aRefusalByTheDatabaseConcernsItsLineAlone() async throws {
        try await OperatedDatabase.with { operated in
            try await operated.migrated.asSuperuser { connection in
                try await connection.run(
                    "ALTER TABLE devices ADD CONSTRAINT no_sevens CHECK (device_eui NOT LIKE '%7')")
            }
            let lines = (0..<10).map { "70b3d57ed000000\($0)" }
            let outcomes = try await operated.importDevices("device_eui\n" + lines.joined(separator: "\n"))
            #expect(outcomes.filter(\.isFailure).map(\.deviceEUI) == ["70b3d57ed0000007"])
            #expect(try await operated.count("SELECT count(*) FROM devices") == 9)
        }
    }
}
