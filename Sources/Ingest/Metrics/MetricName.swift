/// The grammar of metric names and label keys: `[A-Za-z_][A-Za-z0-9_.:/-]*`, in ASCII.
enum MetricName {
    static let maxBytes = 128
    static let maxLabelKeyBytes = 64

    static func isValid(_ text: UnsafeBufferPointer<UInt8>, maxBytes: Int = maxBytes) -> Bool {
        guard let first = text.first, text.count <= maxBytes, isLead(first) else { return false }
        for byte in text where !isMember(byte) { return false }
        return true
    }

    static func isLead(_ byte: UInt8) -> Bool { contains(byte, low: 0, high: letters) }

    static func isMember(_ byte: UInt8) -> Bool {
        contains(byte, low: digitsAndSigns, high: letters)
    }

    // Sets of ASCII as bits: one shift a byte, no table to load.
    private static let letters: UInt64 = 0x07FF_FFFE_87FF_FFFE // A-Z _ a-z
    private static let digitsAndSigns: UInt64 = 0x07FF_E000_0000_0000 // - . / 0-9 :

    private static func contains(_ byte: UInt8, low: UInt64, high: UInt64) -> Bool {
        let set = byte & 0x40 == 0 ? low : high
        return byte < 0x80 && (set >> UInt64(byte & 0x3F)) & 1 == 1
    }
}
