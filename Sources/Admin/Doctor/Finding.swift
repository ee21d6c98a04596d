/// What one check found.
struct Finding: Encodable, Sendable, Equatable {
    enum Level: String, Encodable, Sendable, Comparable {
        case ok, warn, fail

        static func < (left: Level, right: Level) -> Bool {
            left.rank < right.rank
        }

        private var rank: Int {
            switch self {
            case .ok: 0
            case .warn: 1
            case .fail: 2
            }
        }
    }

    let level: Level
    /// Names the check; stable.
    let check: String
    let detail: String

    static func ok(_ check: String, _ detail: String) -> Finding { Finding(level: .ok, check: check, detail: detail) }
    static func warn(_ check: String, _ detail: String) -> Finding {
        Finding(level: .warn, check: check, detail: detail)
    }
    static func fail(_ check: String, _ detail: String) -> Finding {
        Finding(level: .fail, check: check, detail: detail)
    }
}
