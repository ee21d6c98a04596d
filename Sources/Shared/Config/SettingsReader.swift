import Configuration
import Foundation

/// The values of declared settings: from flags, else the environment (or the file that `X_FILE` names), else defaults.
/// Everything is checked when it is made, so reading a declared setting can't fail.
package struct SettingsReader: Sendable {
    private let values: [String: any Sendable]

    /// - Parameters:
    ///   - declarations: all settings of the process; any other flag is a fault.
    ///   - arguments: with the program's name first.
    /// - Throws: every fault, by name.
    package init(
        _ declarations: [any SettingDeclaration], arguments: [String], environment: [String: String]
    ) throws(SettingsFault) {
        let sources = SettingSources(arguments: arguments, environment: environment)
        var faults = FlagCheck(declarations).faults(in: arguments)
        var values: [String: any Sendable] = [:]
        for declaration in declarations {
            do {
                values[declaration.name] = try declaration.resolve(try sources.text(of: declaration))
            } catch {
                faults.append(error)
            }
        }
        guard faults.isEmpty else { throw SettingsFault(faults) }
        self.values = values
    }

    /// The value of a setting that was declared when this reader was made.
    package subscript<Value: Sendable>(_ key: SettingKey<Value>) -> Value {
        guard let value = values[key.name] as? Value else {
            preconditionFailure("\(key.name) is not among the declared settings")
        }
        return value
    }
}

/// Where texts come from, and which of them wins.
private struct SettingSources {
    private let flags: ConfigReader
    private let environment: ConfigReader

    init(arguments: [String], environment: [String: String]) {
        flags = ConfigReader(provider: CommandLineArgumentsProvider(arguments: arguments))
        self.environment = ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: environment))
    }

    func text(of declaration: any SettingDeclaration) throws(SettingFault) -> String? {
        let fileName = declaration.name + "_FILE"
        if let text = try pick(flag(declaration.name), flag(fileName), declaration) { return text }
        return try pick(variable(declaration.name), variable(fileName), declaration)
    }

    private func pick(
        _ value: String?, _ file: String?, _ declaration: any SettingDeclaration
    ) throws(SettingFault) -> String? {
        guard let file else { return value }
        guard value == nil else {
            throw SettingFault(name: declaration.name, reason: "and \(declaration.name)_FILE are both set")
        }
        guard var text = try? String(contentsOfFile: file, encoding: .utf8) else {
            throw SettingFault(name: declaration.name + "_FILE", reason: "names a file that can't be read: \(file)")
        }
        while let last = text.unicodeScalars.last, last == "\n" || last == "\r" { text.unicodeScalars.removeLast() }
        guard !text.isEmpty else {
            throw SettingFault(name: declaration.name + "_FILE", reason: "names an empty file: \(file)")
        }
        return text
    }

    /// The provider splits values at commas; ours are whole.
    private func flag(_ name: String) -> String? {
        flags.stringArray(forKey: key(name)).map { $0.joined(separator: ",") }
    }

    /// Empty counts as not set: composition files can't leave a variable out.
    private func variable(_ name: String) -> String? {
        environment.string(forKey: key(name)).flatMap { $0.isEmpty ? nil : $0 }
    }

    private func key(_ name: String) -> ConfigKey {
        ConfigKey(name.lowercased().split(separator: "_").map(String.init))
    }
}

/// Finds what the library would silently ignore: flags nobody declared, flags without a value, stray words.
private struct FlagCheck {
    private let known: Set<String>

    init(_ declarations: [any SettingDeclaration]) {
        known = Set(declarations.flatMap { [$0.flag, $0.flag + "-file"] })
    }

    func faults(in arguments: [String]) -> [SettingFault] {
        var faults: [SettingFault] = []
        var rest = arguments.dropFirst()
        var seen: Set<String> = []
        while let argument = rest.popFirst() {
            let flag = String(argument.prefix { $0 != "=" })
            guard flag.hasPrefix("--") else {
                faults.append(SettingFault(name: argument, reason: "is not a flag"))
                continue
            }
            let hasValue = flag.count < argument.count || rest.first.map { !$0.hasPrefix("--") } == true
            if flag.count == argument.count, hasValue { rest.removeFirst() }
            if !known.contains(flag) {
                faults.append(SettingFault(name: flag, reason: "is not a flag of this program"))
            } else if !hasValue {
                faults.append(SettingFault(name: flag, reason: "needs a value"))
            } else if !seen.insert(flag).inserted {
                faults.append(SettingFault(name: flag, reason: "is given twice"))
            }
        }
        return faults
    }
}
