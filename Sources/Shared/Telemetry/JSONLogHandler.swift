import Foundation
import Logging
import Postgres

/// Logs one JSON object a line: `ts`, `level`, `logger`, `message`, then the metadata by name.
package struct JSONLogHandler: LogHandler {
    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    private let label: String
    private let style: LogStyle
    private let write: @Sendable (_ line: [UInt8]) -> Void

    /// - Parameter write: gets whole lines, with their line feed.
    package init(
        label: String, level: Logger.Level = .info, style: LogStyle = .json,
        write: @escaping @Sendable (_ line: [UInt8]) -> Void = LogOutput.standardError
    ) {
        self.label = label
        self.style = style
        self.write = write
        logLevel = level
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var all = metadataProvider?.get() ?? [:]
        all.merge(metadata) { _, ours in ours }
        if let more = event.metadata { all.merge(more) { _, theirs in theirs } }
        all["hb.request.id"] = nil // the framework's own; ours is request_id
        if let error = event.error { all["error"] = .string("\(error)") }
        let now = Timestamp.now()
        let line =
            switch style {
            case .json: LogLine.json(now, event.level, label, event.message.description, all)
            case .pretty: LogLine.pretty(now, event.level, label, event.message.description, all)
            }
        write(line)
    }
}

package enum LogStyle: Sendable {
    /// For machines.
    case json
    /// For a terminal.
    case pretty
}

/// Where lines go.
package enum LogOutput {
    /// Makes every logger of the process write to stderr: JSON, or prettier where that is a terminal. Call it once,
    /// first.
    package static func bootstrap(level: Logger.Level) {
        let style: LogStyle = isatty(STDERR_FILENO) == 1 ? .pretty : .json
        LoggingSystem.bootstrap { label in JSONLogHandler(label: label, level: level, style: style) }
    }

    /// One `write(2)` for each line, so that lines of several threads don't mix.
    @Sendable package static func standardError(_ line: [UInt8]) {
        line.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let written = Foundation.write(
                    STDERR_FILENO, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if written > 0 {
                    rest = rest.dropFirst(written)
                } else if errno != EINTR {
                    return // nobody reads our log; that must not stop the work
                }
            }
        }
    }
}
