import Postgres

/// RFC 3339 §5.6, by hand: these run once per sample and per row, where a calendar or a formatter object would be most
/// of the work.
extension Timestamp {
    /// 0001-01-01T00:00:00Z and the last microsecond of 9999: what four digits of year can say.
    package static let rfc3339Range =
        Timestamp(microseconds: -62_135_596_800_000_000)...Timestamp(microseconds: 253_402_300_799_999_999)

    /// Reads `2026-11-20T10:00:00.123Z`, with 0 to 9 fraction digits (finer than microseconds is cut off) and `Z` or an
    /// offset. A leap second `23:59:60` UTC is the first second of the next day, as PostgreSQL has it.
    /// - Returns: nil for anything else, a 30th of February and years outside of 0001 to 9999 included.
    package init?(rfc3339 bytes: UnsafeBufferPointer<UInt8>) {
        var reader = DateTimeReader(bytes: bytes)
        guard let microseconds = reader.read() else { return nil }
        self.init(microseconds: microseconds)
        guard Self.rfc3339Range.contains(self) else { return nil }
    }

    package init?(rfc3339 text: some StringProtocol) {
        var text = String(text)
        guard let timestamp = text.withUTF8({ Timestamp(rfc3339: $0) }) else { return nil }
        self = timestamp
    }

    /// UTC with `Z` and the shortest of no, three or six fraction digits. Beyond the years 0001 to 9999 (PostgreSQL's
    /// infinities) the nearest time that can be written.
    package var rfc3339: String {
        let time = min(max(self, Self.rfc3339Range.lowerBound), Self.rfc3339Range.upperBound)
        let seconds = time.seconds
        let micros = Int(time.microseconds - seconds * 1_000_000)
        let days = Int(seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400)
        let secondOfDay = Int(seconds) - days * 86_400
        let date = CivilDate(daysSinceEpoch: days)
        return String(unsafeUninitializedCapacity: 27) { buffer in
            var writer = DigitWriter(buffer: buffer)
            writer.digits(date.year, 4)
            writer.digits(date.month, 2, after: UInt8(ascii: "-"))
            writer.digits(date.day, 2, after: UInt8(ascii: "-"))
            writer.digits(secondOfDay / 3_600, 2, after: UInt8(ascii: "T"))
            writer.digits(secondOfDay / 60 % 60, 2, after: UInt8(ascii: ":"))
            writer.digits(secondOfDay % 60, 2, after: UInt8(ascii: ":"))
            if micros % 1_000 != 0 {
                writer.digits(micros, 6, after: UInt8(ascii: "."))
            } else if micros != 0 {
                writer.digits(micros / 1_000, 3, after: UInt8(ascii: "."))
            }
            writer.byte(UInt8(ascii: "Z"))
            return writer.count
        }
    }
}

/// Writes the digits of times one after the other.
struct DigitWriter {
    let buffer: UnsafeMutableBufferPointer<UInt8>
    private(set) var count = 0

    init(buffer: UnsafeMutableBufferPointer<UInt8>) {
        self.buffer = buffer
    }

    mutating func byte(_ byte: UInt8) {
        buffer[count] = byte
        count += 1
    }

    mutating func digits(_ value: Int, _ width: Int, after separator: UInt8? = nil) {
        if let separator { byte(separator) }
        var rest = value
        for position in stride(from: count + width - 1, through: count, by: -1) {
            buffer[position] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        count += width
    }
}
