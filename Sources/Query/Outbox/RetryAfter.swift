import Foundation
import NIOHTTP1
import Postgres

/// `Retry-After` (RFC 9110 §10.2.3): seconds or a date.
struct RetryAfter: Equatable, Sendable {
    /// Nobody makes us wait for longer.
    static let longest = Duration.seconds(86_400)

    let pause: Duration

    /// Nil for what says nothing, or a time that is over.
    init?(_ text: String, at now: Timestamp) {
        let text = text.trimmingCharacters(in: .whitespaces)
        if let seconds = Int64(text) {
            pause = min(Self.longest, .seconds(seconds))
        } else if let date = Self.date(text) {
            pause = min(Self.longest, .seconds(Int64(date.timeIntervalSince1970.rounded()) - now.seconds))
        } else {
            return nil
        }
        guard pause > .zero else { return nil }
    }

    init?(_ headers: HTTPHeaders, at now: Timestamp) {
        guard let text = headers.first(name: "Retry-After") else { return nil }
        self.init(text, at: now)
    }

    /// The three forms of RFC 9110 §5.6.7.
    private static func date(_ text: String) -> Date? {
        let formatter = DateFormatter()
        (formatter.locale, formatter.timeZone) = (Locale(identifier: "en_US_POSIX"), TimeZone(secondsFromGMT: 0))
        for form in ["EEE, dd MMM yyyy HH:mm:ss 'GMT'", "EEEE, dd-MMM-yy HH:mm:ss 'GMT'", "EEE MMM d HH:mm:ss yyyy"] {
            formatter.dateFormat = form
            if let date = formatter.date(from: text) { return date }
        }
        return nil
    }
}
