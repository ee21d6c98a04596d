/// How many digits stand behind the point.
package protocol DecimalPlaces: Sendable {
    static var count: Int { get }
}

package enum TwoPlaces: DecimalPlaces {
    package static let count = 2
}

package enum ThreePlaces: DecimalPlaces {
    package static let count = 3
}

/// A `numeric(14, n)`, exact: so many units of the last place.
package struct FixedDecimal<Places: DecimalPlaces>: Hashable, Sendable {
    package let units: Int64

    /// Units of a whole one.
    package static var one: Int64 { (0..<Places.count).reduce(1) { one, _ in one * 10 } }
    /// What `numeric(14, n)` holds: fourteen digits.
    package static var largest: FixedDecimal { FixedDecimal(units: 99_999_999_999_999) }
    package static var zero: FixedDecimal { FixedDecimal(units: 0) }

    package init(units: Int64) {
        self.units = units
    }

    /// Reads decimal text such as JSON's numbers: `-12.50`, `1.5e3`.
    ///
    /// - Parameter limit: digits, up to the 18 that units can hold.
    /// - Returns: nil for anything else, for what has more places than there are, and for what is too large.
    package init?(_ text: some StringProtocol, digits limit: Int = 14) {
        let parts = text.split(separator: "e", maxSplits: 1, omittingEmptySubsequences: false)
        guard text.utf8.count <= 60, let mantissa = parts.first, let exponent = parts.count == 1 ? 0 : Int(parts[1]),
            (-30...30).contains(exponent)
        else { return nil }
        let isNegative = mantissa.first == "-"
        let halves = mantissa.dropFirst(isNegative ? 1 : 0)
            .split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard halves.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }) else {
            return nil
        }
        let digits = halves.joined()
        // How far the last digit stands from the last place.
        let shift = Places.count + exponent - (halves.count == 2 ? halves[1].count : 0)
        guard digits.suffix(max(0, -shift)).allSatisfy({ $0 == "0" }) else { return nil }
        let kept = digits.dropLast(max(0, -shift)).drop { $0 == "0" }
        let whole = kept.isEmpty ? "0" : kept + String(repeating: "0", count: max(0, shift))
        guard whole.count <= limit, let units = Int64(whole) else { return nil }
        self.init(units: isNegative ? -units : units)
    }

    /// With all its places.
    package var text: String {
        let (whole, rest) = units.magnitude.quotientAndRemainder(dividingBy: UInt64(Self.one))
        let places = String(rest)
        let padding = String(repeating: "0", count: Places.count - places.count)
        return "\(units < 0 ? "-" : "")\(whole).\(padding)\(places)"
    }

    /// Without zeros at its end.
    package var shortText: String {
        guard units % Self.one != 0 else { return String(units / Self.one) }
        var text = text
        while text.last == "0" { text.removeLast() }
        return text
    }

    /// Nil for what no column holds.
    package func adding(_ other: FixedDecimal) -> FixedDecimal? {
        let sum = FixedDecimal(units: units + other.units) // both have fourteen digits at most
        return sum.units.magnitude <= Self.largest.units.magnitude ? sum : nil
    }

    package static prefix func - (value: FixedDecimal) -> FixedDecimal { FixedDecimal(units: -value.units) }
}

extension FixedDecimal: Comparable {
    package static func < (left: FixedDecimal, right: FixedDecimal) -> Bool { left.units < right.units }
}

extension FixedDecimal: PostgresEncodable, PostgresDecodable, PostgresArrayElement {
    package static var oid: UInt32 { TypeOID.numeric }
    package static var arrayOID: UInt32 { 1231 }

    /// `numeric_recv`: groups of four digits to both sides of the point.
    package func encode(into buffer: inout [UInt8]) {
        let (whole, rest) = units.magnitude.quotientAndRemainder(dividingBy: UInt64(Self.one))
        var groups: [Int16] = []
        var left = whole
        while left > 0 {
            groups.insert(Int16(left % 10_000), at: 0)
            left /= 10_000
        }
        let weight = groups.count - 1
        groups.append(Int16(rest * (10_000 / UInt64(Self.one))))
        buffer.appendBigEndian(Int16(groups.count))
        buffer.appendBigEndian(Int16(weight))
        buffer.appendBigEndian(UInt16(units < 0 ? 0x4000 : 0))
        buffer.appendBigEndian(UInt16(Places.count))
        for group in groups { buffer.appendBigEndian(group) }
    }

    package static func decode(_ bytes: UnsafeRawBufferPointer, oid: UInt32) throws -> FixedDecimal {
        guard oid == TypeOID.numeric else { throw PostgresError.decoding("type \(oid) is not numeric") }
        let text = try NumericText.decode(bytes)
        // A sum of many may have more digits than each of them.
        guard let value = FixedDecimal(text, digits: 18) else {
            throw PostgresError.decoding("a numeric with more digits than \(Self.self)")
        }
        return value
    }
}
extension FixedDecimal: RowDecodable {}
