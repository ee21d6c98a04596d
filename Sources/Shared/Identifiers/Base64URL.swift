import Foundation

/// RFC 4648 §5, without padding.
enum Base64URL {
    static func encode(_ bytes: some Sequence<UInt8>) -> String {
        var text = Data(bytes).base64EncodedString()
        text.removeAll { $0 == "=" }
        return text.replacing("+", with: "-").replacing("/", with: "_")
    }

    /// Nil for padding, foreign characters and lengths that no bytes have.
    static func decode(_ text: some StringProtocol) -> [UInt8]? {
        var standard = ""
        standard.reserveCapacity(text.utf8.count + 3)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "-"): standard.append("+")
            case UInt8(ascii: "_"): standard.append("/")
            case _ where byte.isBase62: standard.unicodeScalars.append(Unicode.Scalar(byte))
            default: return nil
            }
        }
        while !standard.utf8.count.isMultiple(of: 4) { standard.append("=") }
        return Data(base64Encoded: standard).map(Array.init)
    }
}
