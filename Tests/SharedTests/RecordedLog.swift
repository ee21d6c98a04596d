import Logging
import Shared
import Synchronization

/// The lines that a logger wrote.
final class RecordedLog: Sendable {
    private let recorded = Mutex<[String]>([])

    var lines: [String] { recorded.withLock { $0 } }

    func handler(_ label: String, level: Logger.Level = .trace, style: LogStyle = .json) -> JSONLogHandler {
        JSONLogHandler(label: label, level: level, style: style) { [self] line in
            recorded.withLock { $0.append(String(decoding: line, as: UTF8.self)) }
        }
    }
}
