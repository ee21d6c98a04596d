import Foundation
import Logging

extension SettingKey where Value == String {
    /// Any text that is not empty; required without a default.
    package static func text(
        _ name: String, default fallback: String? = nil, unit: String = "", meaning: String, isSecret: Bool = false
    ) -> SettingKey<String> {
        SettingKey(
            name, default: fallback, defaultText: fallback, unit: unit, meaning: meaning, isSecret: isSecret
        ) { text throws(SettingValueFault) in text }
    }

    /// A secret text of at least so many bytes, without a default.
    package static func secret(_ name: String, minBytes: Int = 1, meaning: String) -> SettingKey<String> {
        SettingKey(name, default: nil, defaultText: nil, unit: "", meaning: meaning, isSecret: true) {
            text throws(SettingValueFault) in
            guard text.utf8.count >= minBytes else { throw SettingValueFault("at least \(minBytes) bytes long") }
            return text
        }
    }

    /// A PostgreSQL URL. Counts as secret: it may hold a password.
    package static func databaseURL(_ name: String, meaning: String) -> SettingKey<String> {
        SettingKey(name, default: nil, defaultText: nil, unit: "", meaning: meaning, isSecret: true) {
            text throws(SettingValueFault) in
            guard text.hasPrefix("postgresql://") || text.hasPrefix("postgres://") || text.contains("=") else {
                throw SettingValueFault("a postgresql:// URL or a libpq connection string")
            }
            return text
        }
    }
}

extension SettingKey where Value == String? {
    /// A text that may be absent.
    package static func optionalText(
        _ name: String, meaning: String, isSecret: Bool = false
    ) -> SettingKey<String?> {
        SettingKey(name, default: .some(nil), defaultText: "", meaning: meaning, isSecret: isSecret) {
            text throws(SettingValueFault) in text
        }
    }
}

extension SettingKey where Value == [String] {
    /// Web origins (RFC 6454 §6.2: scheme, host and, unless it is the scheme's own, port), separated by commas, or `*`.
    package static func origins(_ name: String, meaning: String) -> SettingKey<[String]> {
        SettingKey(name, default: [], defaultText: "", meaning: meaning) { text throws(SettingValueFault) in
            let origins = text.split(separator: ",").map { $0.filter { !$0.isWhitespace } }
            for origin in origins where origin != "*" {
                guard let url = URL(string: origin), let scheme = url.scheme, ["http", "https"].contains(scheme),
                    url.host()?.isEmpty == false, url.path().isEmpty, url.query() == nil, url.user() == nil
                else { throw SettingValueFault("origins such as https://dashboards.example.com, without a path") }
            }
            return origins
        }
    }
}

extension SettingKey where Value == Int {
    /// A whole number within a range.
    package static func integer(
        _ name: String, default fallback: Int?, in range: ClosedRange<Int>, unit: String = "", meaning: String
    ) -> SettingKey<Int> {
        SettingKey(name, default: fallback, defaultText: fallback.map(String.init), unit: unit, meaning: meaning) {
            text throws(SettingValueFault) in
            guard let number = Int(text), range.contains(number) else {
                throw SettingValueFault("a whole number from \(range.lowerBound) to \(range.upperBound)")
            }
            return number
        }
    }

    package static func port(_ name: String, default fallback: Int, meaning: String) -> SettingKey<Int> {
        integer(name, default: fallback, in: 0...65_535, meaning: meaning + " 0 takes any free one.")
    }
}

extension SettingKey where Value == Duration {
    /// A number of seconds, with decimals if need be.
    package static func seconds(
        _ name: String, default fallback: Double, in range: ClosedRange<Double>, meaning: String
    ) -> SettingKey<Duration> {
        SettingKey(
            name, default: .seconds(fallback), defaultText: Self.plain(fallback), unit: "seconds", meaning: meaning
        ) { text throws(SettingValueFault) in
            guard let seconds = Double(text), range.contains(seconds) else {
                throw SettingValueFault(
                    "a number of seconds from \(Self.plain(range.lowerBound)) to \(Self.plain(range.upperBound))")
            }
            return .seconds(seconds)
        }
    }

    private static func plain(_ number: Double) -> String {
        Int(exactly: number).map(String.init) ?? "\(number)"
    }
}

extension SettingKey where Value == Bool {
    /// `on` or `off`, also `true`/`false`, `yes`/`no`, `1`/`0`.
    package static func `switch`(_ name: String, default fallback: Bool, meaning: String) -> SettingKey<Bool> {
        SettingKey(name, default: fallback, defaultText: fallback ? "on" : "off", meaning: meaning) {
            text throws(SettingValueFault) in
            switch text.lowercased() {
            case "on", "true", "yes", "1": return true
            case "off", "false", "no", "0": return false
            default: throw SettingValueFault("on or off")
            }
        }
    }
}

extension SettingKey where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    /// One of a type's cases.
    package static func choice(_ name: String, default fallback: Value?, meaning: String) -> SettingKey<Value> {
        SettingKey(name, default: fallback, defaultText: fallback?.rawValue, meaning: meaning) {
            text throws(SettingValueFault) in
            guard let value = Value(rawValue: text) else {
                throw SettingValueFault("one of \(Value.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            return value
        }
    }
}
