import Foundation

/// A file of `config/` that is written from the declarations of settings.
package enum SettingsReferenceFile {
    /// What the file says; with `UPDATE_REFERENCE=1` in the environment it is written anew first.
    package static func text(_ name: String, expected: String) throws -> String {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("config/\(name)")
        if ProcessInfo.processInfo.environment["UPDATE_REFERENCE"] == "1" {
            try expected.write(to: file, atomically: true, encoding: .utf8)
        }
        return try String(contentsOf: file, encoding: .utf8)
    }
}
