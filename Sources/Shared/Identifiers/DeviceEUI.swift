import Postgres

/// A LoRaWAN device's EUI-64. Written as 16 lowercase hex digits.
package struct DeviceEUI: Hashable, Comparable, Sendable {
    package let bits: UInt64

    package init(bits: UInt64) {
        self.bits = bits
    }

    /// 16 hex digits of any case, plain or with one kind of separator, `-` or `:`, between bytes.
    package init?(_ text: some StringProtocol) {
        var bits: UInt64 = 0
        var digits = 0
        var separator: UInt8?
        var mayPart = false
        for byte in text.utf8 {
            if let digit = hexDigit(byte) {
                guard digits < 16 else { return nil }
                bits = bits << 4 | UInt64(digit)
                digits += 1
                mayPart = digits.isMultiple(of: 2) && digits < 16
            } else {
                guard mayPart, byte == UInt8(ascii: "-") || byte == UInt8(ascii: ":"), separator ?? byte == byte else {
                    return nil
                }
                separator = byte
                mayPart = false
            }
        }
        guard digits == 16 else { return nil }
        self.bits = bits
    }

    /// 16 lowercase hex digits.
    package var rawValue: String {
        String(unsafeUninitializedCapacity: 16) { buffer in
            for position in 0..<16 {
                let digit = UInt8(truncatingIfNeeded: bits >> UInt64(60 - 4 * position)) & 0xF
                buffer[position] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
            }
            return 16
        }
    }

    package static func < (left: DeviceEUI, right: DeviceEUI) -> Bool {
        left.bits < right.bits
    }
}

/// The value of a hex digit of either case.
func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
}

extension DeviceEUI: CustomStringConvertible {
    package var description: String { rawValue }
}

extension DeviceEUI: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let eui = DeviceEUI(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not 16 hex digits")
        }
        self = eui
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }
}

/// Columns hold the canonical text.
extension DeviceEUI: PostgresEncodable, PostgresDecodable {
    package static var oid: UInt32 { String.oid }

    package func encode(into bytes: inout [UInt8]) {
        rawValue.encode(into: &bytes)
    }

    package static func decode(_ bytes: UnsafeRawBufferPointer, oid: UInt32) throws -> DeviceEUI {
        let text = try String.decode(bytes, oid: oid)
        guard let eui = DeviceEUI(text) else {
            throw PostgresError(kind: .decoding, message: "a column holds no device EUI")
        }
        return eui
    }
}
