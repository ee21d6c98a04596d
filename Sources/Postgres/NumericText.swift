/// PostgreSQL's `numeric` in binary: base-10,000 digits with a weight, a sign and the number of decimals shown
/// (`numeric_send` in src/backend/utils/adt/numeric.c).
enum NumericText {
    static func decode(_ bytes: UnsafeRawBufferPointer) throws -> String {
        let count = Int(try bytes.bigEndian(at: 0, as: Int16.self))
        let weight = Int(try bytes.bigEndian(at: 2, as: Int16.self))
        let sign = try bytes.bigEndian(at: 4, as: UInt16.self)
        let scale = Int(try bytes.bigEndian(at: 6, as: UInt16.self))
        switch sign {
        case 0x0000, 0x4000: break
        case 0xC000: return "NaN"
        case 0xD000: return "Infinity"
        case 0xF000: return "-Infinity"
        default: throw PostgresError.decoding("unknown sign of numeric")
        }
        let digits = try (0..<max(count, 0)).map { try bytes.bigEndian(at: 8 + 2 * $0, as: Int16.self) }
        func group(_ index: Int) -> String {
            let text = String(digits.indices.contains(index) ? digits[index] : 0)
            return String(repeating: "0", count: max(0, 4 - text.count)) + text
        }
        let whole = weight < 0 ? "0" : (0...weight).map(group).joined().trimmingLeadingZeros()
        var text = sign == 0x4000 ? "-" + whole : whole
        if scale > 0 {
            let groups = (scale + 3) / 4
            text += "." + (0..<groups).map { group(weight + 1 + $0) }.joined().prefix(scale)
        }
        return text
    }
}

extension String {
    fileprivate func trimmingLeadingZeros() -> String {
        let trimmed = drop { $0 == "0" }
        return trimmed.isEmpty ? "0" : String(trimmed)
    }
}
