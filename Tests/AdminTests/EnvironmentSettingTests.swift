import Foundation
import Testing

@testable import Admin

struct EnvironmentSettingTests {
    @Test func aValueComesBeforeAFileAndAFileIsTrimmed() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        defer { try? FileManager.default.removeItem(atPath: file) }
        try PrivateFile(path: file).write(Data("from file\n".utf8))
        let setting = EnvironmentSetting.masterKey
        #expect(try setting.required(in: ["MASTER_KEY_FILE": file]) == "from file")
        #expect(try setting.required(in: ["MASTER_KEY": "direct", "MASTER_KEY_FILE": file]) == "direct")
    }

    @Test func whatIsMissingIsNamed() {
        #expect(throws: Refusal(.settings, "MASTER_KEY is not set")) {
            _ = try EnvironmentSetting.masterKey.required(in: ["MASTER_KEY": ""])
        }
        #expect(throws: Refusal.self) {
            _ = try EnvironmentSetting.masterKey.optional(in: ["MASTER_KEY_FILE": "/nowhere/at/all"])
        }
    }

    @Test func privateFilesAreTheirOwnersAlone() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        defer { try? FileManager.default.removeItem(atPath: file) }
        for content in ["one", "another"] {
            try PrivateFile(path: file).write(Data(content.utf8))
            #expect(try PrivateFile(path: file).read() == Data(content.utf8))
        }
        let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? NSNumber
        #expect(mode?.intValue == 0o600)
    }
}
