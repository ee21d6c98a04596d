import Foundation

/// The time as `Date:` has it, `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7); by hand, since each answer has one.
enum HTTPDate {
    private static let weekdays: StaticString = "ThuFriSatSunMonTueWed" // the epoch's was a Thursday
    private static let months: StaticString = "JanFebMarAprMayJunJulAugSepOctNovDec"

    static var now: String {
        text(secondsSinceEpoch: time(nil))
    }

    /// - Parameter seconds: not before 1970.
    static func text(secondsSinceEpoch seconds: Int) -> String {
        let days = seconds / 86_400
        let second = seconds % 86_400
        let date = CivilDate(daysSinceEpoch: days)
        return String(unsafeUninitializedCapacity: 29) { buffer in
            var writer = DigitWriter(buffer: buffer)
            writer.name(days % 7, of: weekdays)
            writer.byte(UInt8(ascii: ","))
            writer.digits(date.day, 2, after: UInt8(ascii: " "))
            writer.byte(UInt8(ascii: " "))
            writer.name(date.month - 1, of: months)
            writer.digits(date.year, 4, after: UInt8(ascii: " "))
            writer.digits(second / 3_600, 2, after: UInt8(ascii: " "))
            writer.digits(second / 60 % 60, 2, after: UInt8(ascii: ":"))
            writer.digits(second % 60, 2, after: UInt8(ascii: ":"))
            for byte in " GMT".utf8 { writer.byte(byte) }
            return writer.count
        }
    }
}

extension DigitWriter {
    /// The three letters at a place in a list of names.
    fileprivate mutating func name(_ place: Int, of names: StaticString) {
        for letter in 0..<3 { byte(names.utf8Start[3 * place + letter]) }
    }
}
