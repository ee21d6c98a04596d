/// Ways to break an input. All kinds share those that know nothing of its form.
package struct Mutations: Sendable {
    /// Pieces that mean something to the parser, to be put in anywhere.
    private let vocabulary: [[UInt8]]
    private let isJSON: Bool

    /// For JSON: whole values are replaced, removed, doubled, nested and exchanged.
    package static let json = Mutations(vocabulary: HostileJSON.pieces, isJSON: true)

    package static let bytes = Mutations(vocabulary: [], isJSON: false)

    /// For short texts of a grammar that uses these pieces.
    package static func text(_ vocabulary: [String]) -> Mutations {
        Mutations(vocabulary: (vocabulary + hostileText).map { Array($0.utf8) }, isJSON: false)
    }

    private static let hostileText = [
        "\u{0}", " ", "\t", "\r\n", "\u{7F}", "é", "\u{301}", "\u{FEFF}", "\u{10FFFF}", "-", "+", "=", "%00",
        "99999999999999999999", "-9223372036854775808",
    ]

    func apply(to bytes: inout [UInt8], other: [UInt8], _ random: inout SplitMix) {
        if isJSON, Int.random(in: 0..<3, using: &random) > 0 {
            JSONMutation.apply(to: &bytes, other: other, &random)
        } else {
            applyBlindly(to: &bytes, other: other, &random)
        }
    }

    private func applyBlindly(to bytes: inout [UInt8], other: [UInt8], _ random: inout SplitMix) {
        let place = Int.random(in: 0...bytes.count, using: &random)
        let end = min(bytes.count, place + (1 << Int.random(in: 0...5, using: &random)))
        switch Int.random(in: 0..<11, using: &random) {
        case 0 where place < bytes.count: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1 where place < bytes.count: bytes[place] = .random(in: .min ... .max, using: &random)
        case 2: bytes.removeSubrange(place..<end)
        case 7, 8: turnDigit(in: &bytes, from: place, &random)
        case 3: bytes.insert(contentsOf: bytes[place..<end], at: place)
        case 4: bytes.removeSubrange(place...)
        case 5: splice(&bytes, other, &random)
        case 6: // The same piece again and again.
            let piece = Array(bytes[place..<end])
            let count = 1 << Int.random(in: 1...8, using: &random)
            bytes.insert(contentsOf: repeatElement(piece, count: count).joined(), at: place)
        default:
            guard let piece = vocabulary.randomElement(using: &random) else { return bytes.insert(0, at: place) }
            bytes.replaceSubrange(Bool.random(using: &random) ? place..<place : place..<end, with: piece)
        }
    }

    /// Another digit in a digit's place leaves the grammar and reaches what stands behind it.
    private func turnDigit(in bytes: inout [UInt8], from place: Int, _ random: inout SplitMix) {
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard let digit = bytes[place...].firstIndex(where: digits.contains) else { return }
        bytes[digit] = .random(in: digits, using: &random)
    }

    /// The beginning of one with the end of the other.
    private func splice(_ bytes: inout [UInt8], _ other: [UInt8], _ random: inout SplitMix) {
        let head = bytes.prefix(Int.random(in: 0...bytes.count, using: &random))
        bytes = Array(head) + other.suffix(Int.random(in: 0...other.count, using: &random))
    }
}

/// Values and fragments at the borders of what JSON, doubles, Unicode and PostgreSQL can hold.
enum HostileJSON {
    static let values: [String] =
        [
            "null", "true", "false", "0", "-0", "0.0", "-0.0e-0", "1", "-1", "1e2", "1E+2", "120e-1", "0.1", "255",
            "256", "1000", "1000.5", "-1001",
            "4294967295", "4294967296", "9007199254740991", "9007199254740992", "9007199254740993",
            "9223372036854775807",
            "9223372036854775808", "-9223372036854775808", "18446744073709551616", "1e308", "1.7976931348623157e308",
            "1.7976931348623159e308", "1e309", "-1e400000", "1e-323", "5e-324", "2e-324", "1e-400", "1e-400000",
            "1e9223372036854775807", "1e-9223372036854775807", "1e-9223372036854775808", "1e-9223372036854775809",
            "1e18446744073709551616", "0e99999999999999999999", "0.000000000000000000000000000001e30", "1e-330",
            "1e-331",
            "179769313486231580793728971405301e276", "0.30000000000000004", "NaN", "Infinity", "-Infinity", "nan", "+1",
            "01",
            "-01", "1.", ".5", "-", "1e", "1e+", "0x10", "1_000", "tru", "nul", "truee", "1795168800000",
            "1795168800000.5",
            "-1795168800000", "1.7951688e12", "\"2026-11-20T10:00:00Z\"", "\"0001-01-01T00:00:00Z\"",
            "\"2026-11-20T10:00:00.1234567891Z\"", "\"2016-12-31T23:59:60Z\"", "\"\"", "\"\\u0000\"", "\"a\\u0000b\"",
            "\"\\ud800\"", "\"\\udc00\"", "\"\\ud83d\\ude00\"", "\"\\ude00\\ud83d\"", "\"\\ud800\\ud800\"",
            "\"\\ud83d\\u0041\"",
            "\"\\u00e9\\n\\t\\b\\f\\r\\\"\\\\\\/\"", "\"\\x\"", "\"\\\"", "\"\\u12\"", "\"\\uD8\"", "\"é€😀\"",
            "\"\u{7F}\"", "\"\t\"",
            "[]", "{}", "[[]]", "[{}]", "{\"\":0}", "{\"\\u0000\":1}", "{\"\\ud800\":1}", "{\"a\":1,\"a\":2}",
            "{\"a\":1,\"\\u0061\":2}",
            "[1,]", "[,1]", "{,}", "{\"a\"}", "{\"a\":}", "{a:1}", "{1:1}", "['a']",
        ]
        + [
            "1" + String(repeating: "0", count: 400), "0." + String(repeating: "0", count: 400) + "1",
            "0." + String(repeating: "3", count: 1_001), String(repeating: "9", count: 1_001) + "e-1001",
            String(repeating: "0", count: 40), "\"" + String(repeating: "x", count: 300) + "\"",
            "\"" + String(repeating: "\\u00e9", count: 129) + "\"",
        ]
        + [7, 8, 9, 127, 128, 129, 600].flatMap { depth in [nested("[", "]", depth), nested("{\"a\":", "}", depth)] }

    static let pieces: [[UInt8]] =
        [
            "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "\\ud800", "\\u0000", "e", "E", "-", "+", ".", " ", "\n",
            "\t", "/**/",
        ]
        .map { Array($0.utf8) } + values.prefix(60).map { Array($0.utf8) } + malformedUTF8

    /// RFC 3629: overlong, surrogate, too large, cut short, lone continuation; a byte order mark; a NUL and controls.
    private static let malformedUTF8: [[UInt8]] = [
        [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82], [0x80], [0xEF, 0xBB, 0xBF],
        [0], [0x1F],
    ]

    private static func nested(_ open: String, _ close: String, _ depth: Int) -> String {
        String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
    }
}
