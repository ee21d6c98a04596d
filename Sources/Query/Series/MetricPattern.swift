import Postgres

/// A metric by its name, or several by a glob: `*` stands for any text, `?` for one character.
enum MetricPattern: Hashable, Sendable {
    case name(String)
    case glob(String)

    init(_ text: String) {
        self = text.contains { $0 == "*" || $0 == "?" } ? .glob(text) : .name(text)
    }

    /// An index behind row-level security serves only leakproof operators, which LIKE is not: so the glob's constant
    /// beginning becomes a range (the column's collation is "C"), and LIKE filters what lies in it.
    func matches(_ column: Fragment) -> Fragment {
        switch self {
        case .name(let name): return "\(column) = \(name)"
        case .glob(let glob):
            let prefix = String(glob.prefix { $0 != "*" && $0 != "?" })
            let beyond = prefix + "\u{10FFFF}" // metrics are ASCII
            return "(\(column) >= \(prefix) AND \(column) < \(beyond) AND \(column) LIKE \(Self.likePattern(glob)))"
        }
    }

    private static func likePattern(_ glob: String) -> String {
        var pattern = ""
        for character in glob {
            switch character {
            case "*": pattern.append("%")
            case "?": pattern.append("_")
            case "%", "_", "\\": pattern.append("\\\(character)")
            default: pattern.append(character)
            }
        }
        return pattern
    }
}
