import Foundation
import HTTPTypes
import NIOCore
import Postgres
import Shared
import Support
import Testing

@testable import Query

@Suite struct DeviceFileRoutesTests {
    private static func load(
        _ csv: String, _ bed: Testbed, as token: String, _ query: String = ""
    ) async throws -> Answered {
        try await bed.send(
            .post, "/api/v1/devices/import\(query)",
            headers: [.authorization: "Bearer \(token)", .contentType: "text/csv; charset=utf-8"],
            body: ByteBuffer(string: csv))
    }

    private static func results(_ answered: Answered) -> [String] {
        (answered.json["lines"] as? [[String: Any]] ?? []).map {
            "\($0["line"] ?? "") \($0["result"] ?? "")" + (($0["detail"] as? String).map { ": \($0)" } ?? "")
        }
    }

    /// Every bad line is told, and the good ones are stored; the same again changes nothing.
    @Test func tenThousandDevices() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            var csv = "device_eui,name,profile,site,space,metadata\n"
            var bad: Set<Int> = []
            for index in 0..<10_000 {
                var fields = [
                    DeviceEUI(bits: 0x1000_0000 + UInt64(index)).rawValue, "Sensor \(index)", "Bay sensor", "T01", "",
                    "\"{\"\"no\"\": \(index)}\"",
                ]
                switch index % 1_000 {
                case 3: fields[0] = "nonsense"
                case 50: fields[3] = "T77"
                case 77: fields[5] = "{"
                case 500: fields[4] = "NOWHERE"
                case 999: fields.removeLast()
                default: break
                }
                if [3, 50, 77, 500, 999].contains(index % 1_000) { bad.insert(index + 2) }
                csv += fields.joined(separator: ",") + "\n"
            }
            let first = try await Self.load(csv, bed, as: token)
            #expect(first.status == .ok)
            #expect(
                first.json["created"] as? Int == 9_950 && first.json["failed"] as? Int == 50,
                "\(first.text.prefix(300))")
            let lines = first.json["lines"] as? [[String: Any]] ?? []
            #expect(lines.count == 10_000)
            let failed = lines.filter { $0["result"] as? String == "failed" }
            #expect(Set(failed.compactMap { $0["line"] as? Int }) == bad)
            #expect(failed.allSatisfy { ($0["detail"] as? String)?.isEmpty == false })
            let again = try await Self.load(csv, bed, as: token)
            #expect(again.json["unchanged"] as? Int == 9_950 && again.json["created"] as? Int == 0)
            #expect(again.json["updated"] as? Int == 0)
            #expect(try await bed.audited("device.created") == 9_950)
        }
    }

    /// What is exported can be imported, and changes nothing; with every character that gives CSV trouble.
    @Test func exportIsImportedUnchanged() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            for (index, name) in ["A \\\"quoted\\\" one", "One, two", "É 🚗", "=1+1", "a,\u{301}b", "q\\\"\u{301}x"]
                .enumerated()
            {
                let eui = DeviceEUI(bits: 0x2000 + UInt64(index))
                let made = try await bed.post(
                    "/api/v1/devices",
                    "{\"device_eui\":\"\(eui)\",\"name\":\"\(name)\",\"metadata\":{\"b\":[1.50,\"x\"],\"a\":null},\"site_id\":\"\(TwoTenants.t01)\"}",
                    as: token)
                #expect(made.status == .created, "\(made.text)")
            }
            try await bed.database.asSuperuser {
                try await $0.execute(
                    script: "UPDATE devices SET site_id = sp.site_id FROM spaces sp WHERE sp.id = space_id")
            }
            let exported = try await bed.get("/api/v1/devices/export", as: token)
            #expect(exported.headers[.contentType]?.hasPrefix("text/csv") == true)
            #expect(exported.text.hasPrefix("device_eui,name,profile,site,space,metadata\r\n"))
            #expect(exported.text.contains("\r\n70b3d57ed0000001,Bay 1,Bay sensor,P01,B1,\r\n"))
            #expect(!exported.text.contains(TwoTenants.southernEUI))
            let loaded = try await Self.load(exported.text, bed, as: token)
            #expect(loaded.json["unchanged"] as? Int == 9 && loaded.json["failed"] as? Int == 0, "\(loaded.text)")
            #expect(loaded.json["updated"] as? Int == 0, "\(loaded.text)")
        }
    }

    @Test func membersOfASiteTouchWhatIsTheirs() async throws {
        try await Testbed.run(accessTimeToLive: .zero) { bed in
            try await bed.promote(TwoTenants.limited, to: "manager")
            let token = try await bed.token(TwoTenants.limited)
            let csv = """
                device_eui,name,site,space,profile
                70b3d57ed0000001,Mine now,T02,,
                70b3d57ed0000002,Room,T02,R1,
                0000000000003001,Other,T01,,
                0000000000003002,New,T02,,
                0000000000003003,New,T02,,Unheard of
                0000000000003004,New,T02,R9,
                """
            let loaded = try await Self.load(csv, bed, as: token)
            #expect(
                Self.results(loaded) == [
                    "2 failed: the device is not yours to change", "3 updated", "4 failed: there is no site T01",
                    "5 created", "6 failed: there is no profile Unheard of", "7 failed: site T02 has no space R9",
                ], "\(loaded.text)")
            let exported = try await bed.get("/api/v1/devices/export", as: token)
            #expect(!exported.text.contains(TwoTenants.bayEUI) && exported.text.contains(TwoTenants.roomEUI))
            let made = try await Self.load(
                "device_eui,site,space\n0000000000003004,T02,R9\n", bed, as: token, "?create_spaces=true")
            #expect(Self.results(made) == ["2 created"])
        }
    }

    /// A device that is read otherwise from now on has the state that its readings have then.
    @Test func anotherProfileCountsAtOnce() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            _ = try await bed.post(
                "/api/v1/device-profiles", "{\"name\":\"Other\",\"occupied_field\":\"parked\"}", as: token)
            try await SpokenOccupancy(owner: 111, field: "parked").say([(.now(), 0)], in: bed.database)
            let loaded = try await Self.load(
                "device_eui,name,profile,site,space\n70b3d57ed0000001,Bay 1,Other,P01,B1\n", bed, as: token)
            #expect(Self.results(loaded) == ["2 updated"])
            let bay = try await bed.get("/api/v1/spaces/\(TwoTenants.bay)", as: token)
            #expect(bay.json["state"] as? String == "free", "\(bay.text)")
        }
    }

    /// Eight mebibytes of nothing cost nothing.
    @Test func filesHaveBounds() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let many = try await Self.load(
                "device_eui,name\n" + String(repeating: ",\n", count: 4_000_000), bed, as: token)
            #expect(many.code == "unreadable_file", "\(many.text.prefix(200))")
            let wide = try await Self.load(
                "device_eui,name\n70b3d57ed0000099" + String(repeating: ",", count: 8_000_000), bed, as: token)
            #expect(Self.results(wide) == ["2 failed: more than 32 fields"])
            let header = try await Self.load(String(repeating: ",", count: 8_000_000), bed, as: token)
            #expect(header.code == "unreadable_file")
        }
    }

    @Test func filesThatCannotBeReadAreRefused() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            for csv in ["", "name\nx", "device_eui,colour\n"] {
                let refused = try await Self.load(csv, bed, as: token)
                #expect(refused.status == .unprocessableContent && refused.code == "unreadable_file", "\(refused.text)")
            }
            #expect(try await bed.post("/api/v1/devices/import", "{}", as: token).status == .unsupportedMediaType)
            let large = try await Self.load(String(repeating: "x", count: 9 << 20), bed, as: token)
            #expect(large.status == .contentTooLarge)
        }
    }
}
