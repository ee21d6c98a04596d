/// A JSON number's one spelling: numbers of equal value get equal text, and no digit is lost.
///
/// Digits without zeros at either end; plain notation while the point is near them (10⁻⁷ < |x| < 10²¹, as in
/// ECMAScript), else `d.ddde±n`. A negative zero is 0, as PostgreSQL's numeric has it.
enum CanonicalNumber {
    /// jsonb keeps a number as `numeric`, which has room for 16,383 digits after the point.
    static let maxDigits = 1_000

    /// - Parameter text: a number by RFC 8259 §6 that has a finite double.
    /// - Returns: false, with nothing appended, for more than `maxDigits` digits or an exponent below a double's.
    static func append(_ text: UnsafeBufferPointer<UInt8>, to output: inout [UInt8]) -> Bool {
        guard let number = Decimal(text) else { return false }
        if number.digits.isEmpty {
            output.append(UInt8(ascii: "0"))
            return true
        }
        guard number.digits.count <= maxDigits, (-330...310).contains(number.point) else { return false }
        if number.isNegative { output.append(UInt8(ascii: "-")) }
        let digits = number.digits
        switch number.point {
        case -5...0:
            output.append(contentsOf: [UInt8(ascii: "0"), UInt8(ascii: ".")])
            output.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: -number.point))
            output.append(contentsOf: digits)
        case 1...21:
            output.append(contentsOf: digits.prefix(number.point))
            output.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: max(0, number.point - digits.count)))
            if digits.count > number.point {
                output.append(UInt8(ascii: "."))
                output.append(contentsOf: digits.dropFirst(number.point))
            }
        default:
            output.append(digits[0])
            if digits.count > 1 {
                output.append(UInt8(ascii: "."))
                output.append(contentsOf: digits.dropFirst())
            }
            output.append(UInt8(ascii: "e"))
            output.append(contentsOf: String(number.point - 1).utf8)
        }
        return true
    }

    /// 0.d₁d₂d₃… × 10^point.
    private struct Decimal {
        var isNegative = false
        var digits: [UInt8] = []
        var point = 0

        init?(_ text: UnsafeBufferPointer<UInt8>) {
            var afterPoint = false
            var at = 0
            if text.first == UInt8(ascii: "-") {
                isNegative = true
                at = 1
            }
            scan: while at < text.count {
                switch text[at] {
                case UInt8(ascii: "."):
                    afterPoint = true
                case UInt8(ascii: "e"), UInt8(ascii: "E"):
                    break scan
                case let digit:
                    // Zeros before the first digit only move the point.
                    if !digits.isEmpty || digit != UInt8(ascii: "0") { digits.append(digit) }
                    if !afterPoint && !digits.isEmpty { point += 1 }
                    if afterPoint && digits.isEmpty { point -= 1 }
                }
                at += 1
            }
            while digits.last == UInt8(ascii: "0") { digits.removeLast() }
            guard at < text.count, !digits.isEmpty else { return }
            let exponent = String(decoding: text[(at + 1)...], as: UTF8.self)
            // An exponent beyond Int is one beyond any double too; Int.min has no `abs`.
            guard let exponent = Int(exponent), exponent.magnitude < 1 << 32 else { return nil }
            point += exponent
        }
    }
}
