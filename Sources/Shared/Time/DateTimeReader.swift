/// Reads RFC 3339's `date-time` from ASCII bytes.
struct DateTimeReader {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0

    init(bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    /// Microseconds since the Unix epoch; nil unless every byte belongs to one valid time.
    mutating func read() -> Int64? {
        guard let year = number(4), take("-"), let month = number(2), take("-"), let day = number(2), year >= 1,
            let date = CivilDate(year: year, month: month, day: day), take("T") || take("t"),
            let hour = number(2), take(":"), let minute = number(2), take(":"), let second = number(2),
            hour <= 23, minute <= 59, second <= 60, let micros = fraction(), let offset = offset(),
            position == bytes.count
        else { return nil }
        let minuteOfDay = date.daysSinceEpoch * 1_440 + hour * 60 + minute - offset
        if second == 60 {
            // Leap seconds are inserted before midnight UTC only.
            guard (minuteOfDay + 1) % 1_440 == 0 else { return nil }
        }
        return Int64(minuteOfDay * 60 + second) * 1_000_000 + micros
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func digit() -> Int? {
        guard position < bytes.count else { return nil }
        let digit = bytes[position] &- UInt8(ascii: "0")
        guard digit <= 9 else { return nil }
        position += 1
        return Int(digit)
    }

    private mutating func number(_ width: Int) -> Int? {
        var value = 0
        for _ in 0..<width {
            guard let digit = digit() else { return nil }
            value = value * 10 + digit
        }
        return value
    }

    /// Microseconds of `.` and 1 to 9 digits; 0 without a point.
    private mutating func fraction() -> Int64? {
        guard take(".") else { return 0 }
        var nanoseconds: Int64 = 0
        var width = 0
        while let digit = digit() {
            width += 1
            guard width <= 9 else { return nil }
            nanoseconds = nanoseconds * 10 + Int64(digit)
        }
        guard width > 0 else { return nil }
        for _ in width..<9 { nanoseconds *= 10 }
        return nanoseconds / 1_000
    }

    /// Minutes east of UTC.
    private mutating func offset() -> Int? {
        if take("Z") || take("z") { return 0 }
        let sign = take("+") ? 1 : take("-") ? -1 : 0
        guard sign != 0, let hours = number(2), take(":"), let minutes = number(2), hours <= 23, minutes <= 59 else {
            return nil
        }
        return sign * (hours * 60 + minutes)
    }
}
