import NIOCore

/// RFC 9110 §8.8.3: equal for equal bytes.
struct EntityTag: Hashable, Sendable {
    let text: String

    /// FNV-1a over 64 bits: it tells versions of one resource apart, and keeps nobody from anything.
    init(_ bytes: ByteBuffer) {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes.readableBytesView { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        text = "\"" + String(hash, radix: 36) + "\""
    }

    /// Whether an `If-None-Match` field names this one; weak tags compare alike there (RFC 9110 §13.1.2).
    func isNamed(in field: String) -> Bool {
        field.split(separator: ",").contains { entry in
            var entry = entry.drop { $0 == " " }
            while entry.last == " " { entry.removeLast() }
            if entry.hasPrefix("W/") { entry = entry.dropFirst(2) }
            return entry == "*" || entry == text
        }
    }
}
