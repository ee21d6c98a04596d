import HTTPTypes
import Hummingbird
import NIOCore
import Shared

/// What is changed by others than people, such as counts and times of use, beside what people edit.
protocol PartlyLive: JSONWritable {
    /// What people edit.
    func write(editedTo json: inout JSONWriter)
}

/// RFC 9110 §8.8.3: equal for equal bytes. Of what is partly live its first half is equal for what people see equally edited, which is all that
/// `If-Match` asks.
struct EntityTag: Hashable, Sendable {
    let text: String
    private let edited: String

    init(_ view: some JSONWritable) {
        var json = JSONWriter()
        view.write(to: &json)
        self.init(view, json.buffer)
    }

    /// - Parameter bytes: of the view.
    init(_ view: some JSONWritable, _ bytes: ByteBuffer) {
        let all = Self.hash(bytes)
        guard let live = view as? any PartlyLive else {
            (edited, text) = (all, "\"\(all)\"")
            return
        }
        var json = JSONWriter()
        live.write(editedTo: &json)
        edited = Self.hash(json.buffer)
        text = "\"\(edited).\(all)\""
    }

    /// FNV-1a over 64 bits: it tells versions of one resource apart, and keeps nobody from anything.
    private static func hash(_ bytes: ByteBuffer) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes.readableBytesView { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return String(hash, radix: 36)
    }

    /// Whether an `If-Match` field names what people edited as it is in this one.
    fileprivate func isCurrent(in field: String) -> Bool {
        field.split(separator: ",").contains { entry in
            let entry = entry.filter { $0 != " " && $0 != "\t" }
            return entry == "*" || entry == text || entry.hasPrefix("\"\(edited).")
        }
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
        guard EntityTag(view).isCurrent(in: seen) else { throw Problem.preconditionFailed() }
    }
}
