/// What a JSON number says, digit by digit: 0.d₁d₂d₃… × 10^point, without zeros at either end of the digits.
package struct ReferenceNumber: Equatable {
    package var isNegative = false
    package var digits: [Character] = []
    package var point = 0
    private let text: String

    /// - Parameter text: a number by RFC 8259 §6.
    package init(_ text: String) {
        self.text = text
        let parts = text.lowercased().split(separator: "e", omittingEmptySubsequences: false)
        let mantissa = parts[0].drop { $0 == "-" }.split(separator: ".")
        let whole = Array(mantissa[0])
        digits = whole + (mantissa.count > 1 ? Array(mantissa[1]) : [])
        point = whole.count + (parts.count > 1 ? Self.exponent(parts[1]) : 0)
        while digits.first == "0" {
            digits.removeFirst()
            point -= 1
        }
        while digits.last == "0" { digits.removeLast() }
        isNegative = !digits.isEmpty && text.hasPrefix("-")
        if digits.isEmpty { point = 0 }
    }

    package static func == (a: ReferenceNumber, b: ReferenceNumber) -> Bool {
        a.isNegative == b.isNegative && a.digits == b.digits && a.point == b.point
    }

    /// The nearest double, by the C library; infinite where there is none.
    package var double: Double { Double(text) ?? .nan }

    /// Times 1,000 and cut off to a whole number: milliseconds in microseconds. Nil beyond 18 digits.
    package var thousandfold: Int64? {
        let count = point + 3
        guard !digits.isEmpty, count > 0 else { return 0 }
        guard count <= 18 else { return nil }
        let padded = String(digits.prefix(count)) + String(repeating: "0", count: max(0, count - digits.count))
        return Int64(padded).map { isNegative ? -$0 : $0 }
    }

    /// Beyond what an Int holds, any number of digits is dwarfed.
    private static func exponent(_ text: Substring) -> Int {
        let digits = text.drop { $0 == "+" || $0 == "-" }.drop { $0 == "0" }
        let magnitude = digits.isEmpty ? 0 : digits.count > 12 ? 1_000_000_000_000 : Int(digits) ?? 0
        return text.hasPrefix("-") ? -magnitude : magnitude
    }
}
