import Logging
import Postgres

/// Lines of the log as bytes.
enum LogLine {
    private static let reserved: Set<String> = ["ts", "level", "logger", "message"]

    static func json(
        _ time: Timestamp, _ level: Logger.Level, _ label: String, _ message: String, _ metadata: Logger.Metadata
    ) -> [UInt8] {
        var line: [UInt8] = []
        line.reserveCapacity(256)
        line.append(text: "{\"ts\":\"\(time.rfc3339)\",\"level\":\"\(level.rawValue)\",\"logger\":")
        line.append(quoted: label)
        line.append(text: ",\"message\":")
        line.append(quoted: message)
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            line.append(text: ",")
            line.append(quoted: reserved.contains(key) ? key + "_" : key)
            line.append(text: ":")
            line.append(json: value)
        }
        line.append(text: "}\n")
        return line
    }

    /// `10:00:00.123 info    ingest  message  key=value`.
    static func pretty(
        _ time: Timestamp, _ level: Logger.Level, _ label: String, _ message: String, _ metadata: Logger.Metadata
    ) -> [UInt8] {
        var line: [UInt8] = []
        let clock = time.rfc3339.dropFirst(11).prefix(8)
        let name = level.rawValue + String(repeating: " ", count: max(0, 8 - level.rawValue.count))
        line.append(text: "\(clock) \(color(level))\(name)\u{1B}[0m \(label): ")
        line.append(escaped: message)
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            line.append(text: " \u{1B}[2m")
            line.append(escaped: key)
            line.append(text: "=\u{1B}[0m")
            switch value {
            case .string(let text): line.append(escaped: text)
            default: line.append(json: value)
            }
        }
        line.append(text: "\n")
        return line
    }

    private static func color(_ level: Logger.Level) -> String {
        switch level {
        case .trace, .debug: "\u{1B}[2m"
        case .info, .notice: "\u{1B}[32m"
        case .warning: "\u{1B}[33m"
        case .error, .critical: "\u{1B}[31m"
        }
    }
}

extension [UInt8] {
    fileprivate mutating func append(text: String) {
        append(contentsOf: text.utf8)
    }

    fileprivate mutating func append(quoted text: String) {
        append(UInt8(ascii: "\""))
        append(escaped: text)
        append(UInt8(ascii: "\""))
    }

    /// RFC 8259 §7. DEL and C1 go too: a terminal may obey them.
    fileprivate mutating func append(escaped text: String) {
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": append(text: "\\\"")
            case "\\": append(text: "\\\\")
            case "\n": append(text: "\\n")
            case "\r": append(text: "\\r")
            case "\t": append(text: "\\t")
            case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value):
                let digits = String(scalar.value, radix: 16)
                append(text: "\\u" + String(repeating: "0", count: 4 - digits.count) + digits)
            default: append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            }
        }
    }

    fileprivate mutating func append(json value: Logger.Metadata.Value) {
        switch value {
        case .string(let text): append(quoted: text)
        case .stringConvertible(let value):
            switch value {
            case let number as Int: append(text: String(number))
            case let number as Double where number.isFinite: append(text: "\(number)")
            case let flag as Bool: append(text: flag ? "true" : "false")
            default: append(quoted: value.description)
            }
        case .array(let values):
            append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                if index > 0 { append(UInt8(ascii: ",")) }
                append(json: value)
            }
            append(UInt8(ascii: "]"))
        case .dictionary(let values):
            append(UInt8(ascii: "{"))
            for (index, (key, value)) in values.sorted(by: { $0.key < $1.key }).enumerated() {
                if index > 0 { append(UInt8(ascii: ",")) }
                append(quoted: key)
                append(UInt8(ascii: ":"))
                append(json: value)
            }
            append(UInt8(ascii: "}"))
        }
    }
}
