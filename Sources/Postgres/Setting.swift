/// A run-time setting for the rest of one transaction (`set_config(name, value, true)`).
package struct Setting: Sendable, Hashable {
    package let name: String
    package let value: String

    package init(name: String, value: String) {
        self.name = name
        self.value = value
    }

    /// One statement for all settings, to stand among others in a pipeline.
    package static func apply(_ settings: [Setting]) -> AnyStatement {
        let calls = settings.map { setting -> Fragment in "set_config(\(setting.name), \(setting.value), true)" }
        return Command("SELECT \(calls.joined(separator: ", "))").erased
    }
}
