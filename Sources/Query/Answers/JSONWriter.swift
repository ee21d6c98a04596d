import Foundation
import NIOCore
import Postgres

/// What an answer can hold.
protocol JSONWritable: Sendable {
    func write(to json: inout JSONWriter)
}

/// Writes JSON text (RFC 8259) piece by piece: fields in the order given, so equal answers have equal bytes, and
/// `jsonb` as the database sends it, with no digit of its numbers lost on the way.
struct JSONWriter {
    private(set) var buffer: ByteBuffer
    private var needsComma = false

    init(_ buffer: ByteBuffer = ByteBuffer()) {
        self.buffer = buffer
    }

    mutating func object(_ fields: (inout JSONWriter) -> Void) {
        open("{")
        fields(&self)
        close("}")
    }

    mutating func array(_ elements: (inout JSONWriter) -> Void) {
        open("[")
        elements(&self)
        close("]")
    }

    /// Fields of an object whose braces the caller writes.
    mutating func fields(_ fields: (inout JSONWriter) -> Void) {
        needsComma = false
        fields(&self)
    }

    /// A field of the object that is being written.
    mutating func field(_ name: StaticString, _ value: some JSONWritable) {
        separate()
        buffer.writeStaticString("\"")
        buffer.writeStaticString(name)
        buffer.writeStaticString("\":")
        needsComma = false
        value.write(to: &self)
        needsComma = true
    }

    /// An element of the array that is being written.
    mutating func element(_ value: some JSONWritable) {
        separate()
        needsComma = false
        value.write(to: &self)
        needsComma = true
    }

    /// JSON text as it is.
    mutating func raw(_ text: some StringProtocol) {
        buffer.writeSubstring(Substring(text))
    }

    mutating func string(_ text: String) {
        buffer.writeStaticString("\"")
        var text = text
        text.withUTF8 { bytes in
            var start = 0
            for (index, byte) in bytes.enumerated() {
                guard let escape = Self.escape(byte) else { continue }
                buffer.writeBytes(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[start..<index]))
                buffer.writeString(escape)
                start = index + 1
            }
            buffer.writeBytes(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[start...]))
        }
        buffer.writeStaticString("\"")
    }

    /// The shortest digits that read back as the same number; JSON has no NaN and no infinities, so these are null.
    mutating func number(_ value: Double) {
        guard value.isFinite else { return raw("null") }
        if abs(value) < 0x1p53, value == value.rounded(.towardZero) {
            raw(value == 0 ? "0" : String(Int64(value)))
        } else {
            raw(value.description)
        }
    }

    private static func escape(_ byte: UInt8) -> String? {
        switch byte {
        case UInt8(ascii: "\""): return "\\\""
        case UInt8(ascii: "\\"): return "\\\\"
        case 0x0A: return "\\n"
        case 0x0D: return "\\r"
        case 0x09: return "\\t"
        case 0..<0x20:
            let digits = String(byte, radix: 16)
            return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: return nil
        }
    }

    private mutating func open(_ bracket: StaticString) {
        buffer.writeStaticString(bracket)
        needsComma = false
    }

    private mutating func close(_ bracket: StaticString) {
        buffer.writeStaticString(bracket)
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { buffer.writeStaticString(",") }
    }
}
