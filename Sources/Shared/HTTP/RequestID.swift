import Foundation
import HTTPTypes

/// Ids that clients may give a request.
enum SaneRequestID {
    /// The header's value if it is 1 to 128 of `A-Z a-z 0-9 . _ -`, else a new UUIDv7.
    static func from(_ value: String?) -> String {
        guard let value, (1...128).contains(value.utf8.count), value.utf8.allSatisfy(isAllowed) else {
            return UUID.v7().lowercaseString
        }
        return value
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        byte.isBase62 || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
    }
}

/// The trace id of a `traceparent` (W3C Trace Context §3.2): 32 lowercase hex digits, not all zero.
func traceID(ofTraceParent value: String) -> String? {
    let parts = value.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
    guard parts.count >= 4, parts[0].count == 2, parts[1].count == 32, parts[2].count == 16,
        parts[1].allSatisfy({ $0.isDecimalDigit || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0) }),
        parts[1].contains(where: { $0 != UInt8(ascii: "0") })
    else { return nil }
    return String(Substring(parts[1]))
}
