import HTTPTypes
import Hummingbird
import NIOCore
import Shared

/// RFC 9110 §8.8.3: equal for equal bytes.
struct EntityTag: Hashable, Sendable {
    let text: String

    /// FNV-1a over 64 bits: it tells versions of one resource apart, and keeps nobody from anything.
    init(_ bytes: ByteBuffer) {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes.readableBytesView { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        text = "\"" + String(hash, radix: 36) + "\""
    }

    init(_ view: some JSONWritable) {
        var json = JSONWriter()
        view.write(to: &json)
        self.init(json.buffer)
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

extension Request {
    /// - Throws: `Problem` 412, where the client saw another version than this (RFC 9110 §13.1.1).
    func checkIfMatch(_ view: some JSONWritable) throws {
        guard let seen = headers[.ifMatch] else { return }
        let tag = EntityTag(view).text
        let isSeen = seen.split(separator: ",").contains { entry in
            let entry = entry.drop { $0 == " " }.prefix { $0 != " " }
            return entry == "*" || entry == tag
        }
        guard isSeen else { throw Problem.preconditionFailed() }
    }
}
