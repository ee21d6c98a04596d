import Testing

@testable import Shared

struct DeviceFileTests {
    @Test(arguments: ["", "name,site", "device_eui,colour", "device_eui,name,name", "\"device_eui"])
    func aHeaderThatSaysTooLittleIsRefused(header: String) {
        #expect(throws: DeviceFile.Unreadable.self) {
            _ = try DeviceFile(Array((header + "\n70b3d57ed0000001,x").utf8))
        }
    }

    @Test func euisAreTakenInEveryWriting() throws {
        let file = try DeviceFile(Array("name,Device_EUI\na,70-B3-D5-7E-D0-00-00-01\nb, 70:b3:d5:7e:d0:00:00:02 ".utf8))
        #expect(file.lines.map(\.deviceEUI.rawValue) == ["70b3d57ed0000001", "70b3d57ed0000002"])
        #expect(file.lines.map(\.name) == ["a", "b"])
    }

    @Test func badLinesAreNamedAndTheOthersKept() throws {
        let csv = """
            device_eui,name,site,space
            70b3d57ed0000001,ok,T01,A
            70b3d57ed000000,short,,
            70b3d57ed0000002,no site,,A
            70B3D57ED0000001,twice,,
            70b3d57ed0000003,x
            70b3d57ed0000004,bad code,T_1,
            70b3d57ed0000005,,,
            """
        let file = try DeviceFile(Array(csv.utf8))
        #expect(file.lines.map(\.number) == [2, 8])
        #expect(file.bad.map(\.number) == [3, 4, 5, 6, 7])
        #expect(file.bad[2].reason == "the device is in line 2 already")
        #expect(file.lines[1].name == nil && file.lines[1].site == nil)
    }
}
