/// What a text must be and is not. Never contains the text itself, which may be a secret.
package struct SettingValueFault: Error, Sendable {
    /// Completes "INGEST_PORT …": `must be a whole number from 1 to 65535`.
    package let expectation: String

    package init(_ expectation: String) {
        self.expectation = expectation
    }
}

/// A setting without the type of its value: for checks, `--help` and the reference.
package protocol SettingDeclaration: Sendable {
    /// In the environment, `INGEST_PORT`; the flag is `--ingest-port`, and `INGEST_PORT_FILE` names a file that holds
    /// the value.
    var name: String { get }
    /// `seconds`, `bytes`, …; empty where there is none.
    var unit: String { get }
    /// As it would be written; nil where a value must be given.
    var defaultText: String? { get }
    var meaning: String { get }
    /// Values of secrets are never printed.
    var isSecret: Bool { get }
    /// The value of a text, or of no text.
    func resolve(_ text: String?) throws(SettingFault) -> any Sendable
}

extension SettingDeclaration {
    package var flag: String { "--" + name.lowercased().replacing("_", with: "-") }
    package var isRequired: Bool { defaultText == nil }
}

/// A setting's one declaration: name, meaning, unit, default, and how its text is read.
package struct SettingKey<Value: Sendable>: SettingDeclaration {
    package let name: String
    package let unit: String
    package let defaultText: String?
    package let meaning: String
    package let isSecret: Bool
    private let fallback: Value?
    private let parse: @Sendable (String) throws(SettingValueFault) -> Value

    /// - Parameters:
    ///   - fallback: nil makes the setting required.
    ///   - defaultText: how the reference shows `fallback`.
    package init(
        _ name: String, default fallback: Value?, defaultText: String?, unit: String = "", meaning: String,
        isSecret: Bool = false, parse: @escaping @Sendable (String) throws(SettingValueFault) -> Value
    ) {
        self.name = name
        self.fallback = fallback
        self.defaultText = fallback == nil ? nil : defaultText ?? ""
        self.unit = unit
        self.meaning = meaning
        self.isSecret = isSecret
        self.parse = parse
    }

    package func resolve(_ text: String?) throws(SettingFault) -> any Sendable {
        guard let text else {
            guard let fallback else { throw SettingFault(name: name, reason: "is missing") }
            return fallback
        }
        do {
            return try parse(text)
        } catch {
            let shown = isSecret ? "" : ", not \"\(text.prefix(64))\""
            throw SettingFault(name: name, reason: "must be \(error.expectation)\(shown)")
        }
    }
}
