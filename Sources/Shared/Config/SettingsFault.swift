/// One setting that can't be used.
package struct SettingFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// As in the environment, or a flag that nobody knows.
    package let name: String
    /// Never contains a secret's value.
    package let reason: String

    package init(name: String, reason: String) {
        self.name = name
        self.reason = reason
    }

    package var description: String { "\(name) \(reason)" }
}

/// All that is wrong with the settings, at once.
package struct SettingsFault: Error, Sendable, CustomStringConvertible {
    /// sysexits.h: EX_CONFIG.
    package static let exitStatus: Int32 = 78

    package let faults: [SettingFault]

    package init(_ faults: [SettingFault]) {
        self.faults = faults
    }

    package var description: String {
        faults.map { "  \($0)" }.joined(separator: "\n")
    }
}
