import Foundation

/// Where the migrations lie: as told by flag or environment, in the working directory, or beside the installed executable.
struct MigrationsDirectory {
    var flag: String?
    var environment: String?
    var workingDirectory: String
    var executable: String?

    init(flag: String?) throws {
        self.flag = flag
        environment = try EnvironmentSetting.migrations.optional()
        workingDirectory = FileManager.default.currentDirectoryPath
        executable = Bundle.main.executablePath
    }

    /// - Throws: `Refusal` when there is none. What was told is taken or refused, never passed over.
    func find() throws -> URL {
        if let told = flag ?? environment {
            let url = URL(fileURLWithPath: told, isDirectory: true)
            guard Self.isDirectory(url) else { throw Refusal(.settings, "\(told) is no directory") }
            return url
        }
        var candidates = [URL(fileURLWithPath: workingDirectory).appendingPathComponent("migrations")]
        if let executable {
            let prefix = URL(fileURLWithPath: executable).resolvingSymlinksInPath()
                .deletingLastPathComponent().deletingLastPathComponent()
            candidates.append(prefix.appendingPathComponent("share/pulsegate/migrations"))
        }
        guard let found = candidates.first(where: Self.isDirectory) else {
            throw Refusal(.settings, "no migrations found: name their directory with --migrations")
        }
        return found
    }

    private static func isDirectory(_ url: URL) -> Bool {
        var isDirectory: ObjCBool = false
        return FileManager.default.fileExists(atPath: url.path, isDirectory: &isDirectory) && isDirectory.boolValue
    }
}
