import Foundation

extension SettingsReader {
    /// The settings of this process. `--help` and `--version` are answered here; faults are printed all at once, then
    /// the process ends with status 78.
    package static func ofProcess(_ program: String, _ declarations: [any SettingDeclaration]) -> SettingsReader {
        let arguments = CommandLine.arguments
        if arguments.dropFirst().contains(where: { $0 == "--help" || $0 == "-h" }) {
            print(SettingsReference.help(program, declarations), terminator: "")
            exit(0)
        }
        if arguments.dropFirst().contains("--version") {
            print("\(program) \(BuildInfo.version)")
            exit(0)
        }
        return exitOnFault(program) { () throws(SettingsFault) in
            try SettingsReader(declarations, arguments: arguments, environment: ProcessInfo.processInfo.environment)
        }
    }
}

/// Runs what may find settings at fault, such as two that contradict each other; then prints every fault on stderr and
/// ends the process with status 78.
package func exitOnFault<Value>(_ program: String, _ body: () throws(SettingsFault) -> Value) -> Value {
    do throws(SettingsFault) {
        return try body()
    } catch {
        let text = "\(program): these settings can't be used (see --help):\n\(error)\n"
        FileHandle.standardError.write(Data(text.utf8))
        exit(SettingsFault.exitStatus)
    }
}
