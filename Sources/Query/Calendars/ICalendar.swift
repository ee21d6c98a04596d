import Foundation
import Postgres
import Shared

/// Writes iCalendar (RFC 5545).
struct ICalendar {
    /// Octets of a line without its end (§3.1).
    private static let lineLength = 75

    private(set) var text = ""

    init(named name: String) {
        line("BEGIN", "VCALENDAR")
        line("VERSION", "2.0")
        line("PRODID", "-//Pulsegate//Reservations//EN")
        line("CALSCALE", "GREGORIAN")
        line("X-WR-CALNAME", Self.escaped(name))
        // How often programs look again (RFC 7986 §5.7).
        line("REFRESH-INTERVAL;VALUE=DURATION", "PT15M")
    }

    mutating func add(_ entry: CalendarEntry) {
        line("BEGIN", "VEVENT")
        line("UID", "\(entry.id.lowercaseString)@pulsegate")
        line("DTSTAMP", Self.utc(entry.updatedAt))
        line("DTSTART", Self.utc(entry.span.lowerBound))
        // To the second: the end not before the true one, so that it is after the start however short the time is.
        line("DTEND", Self.utc(entry.span.upperBound.adding(microseconds: 999_999)))
        line("SUMMARY", Self.escaped("\(entry.space): \(entry.holder)"))
        line("LOCATION", Self.escaped("\(entry.site), \(entry.space)"))
        if let note = entry.note { line("DESCRIPTION", Self.escaped(note)) }
        line("STATUS", entry.isPending ? "TENTATIVE" : "CONFIRMED")
        line("END", "VEVENT")
    }

    mutating func end() {
        line("END", "VCALENDAR")
    }

    /// Long lines are folded where a character begins.
    private mutating func line(_ name: String, _ value: String) {
        var used = 0
        for scalar in "\(name):\(value)".unicodeScalars {
            let width = UTF8.width(scalar)
            if used + width > Self.lineLength {
                text += "\r\n "
                used = 1
            }
            text.unicodeScalars.append(scalar)
            used += width
        }
        text += "\r\n"
    }

    /// §3.3.11. Other controls than line ends can't stand in a text.
    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.replacing("\r\n", with: "\n").unicodeScalars {
            switch scalar {
            case "\\", ";", ",": escaped += "\\" + String(scalar)
            case "\n", "\r", "\u{2028}", "\u{2029}": escaped += "\\n"
            case "\u{0}"..<"\u{20}", "\u{7F}": continue
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    /// §3.3.5, form 2.
    private static func utc(_ time: Timestamp) -> String {
        let text = Timestamp(secondsSinceEpoch: time.seconds).rfc3339
        return text.filter { $0 != "-" && $0 != ":" }
    }
}
