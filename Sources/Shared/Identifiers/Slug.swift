/// A tenant's name in URLs and keys: `^[a-z0-9][a-z0-9-]{1,48}$`. Has no `_`, which parts the pieces of a store key.
package struct Slug: Hashable, Sendable, CustomStringConvertible {
    package let rawValue: String

    package init?(_ text: some StringProtocol) {
        guard Self.isValid(text.utf8) else { return nil }
        rawValue = String(text)
    }

    package var description: String { rawValue }

    static func isValid(_ bytes: some Collection<UInt8>) -> Bool {
        (2...49).contains(bytes.count) && bytes.first != UInt8(ascii: "-")
            && bytes.allSatisfy { byte in
                byte.isDecimalDigit || byte.isLowercaseLetter || byte == UInt8(ascii: "-")
            }
    }
}

/// What people call a site, a space or a store: `^[A-Za-z0-9][A-Za-z0-9-]{0,31}$`.
package struct Code: Hashable, Sendable, CustomStringConvertible {
    package let rawValue: String

    package init?(_ text: some StringProtocol) {
        guard Self.isValid(text.utf8) else { return nil }
        rawValue = String(text)
    }

    package var description: String { rawValue }

    static func isValid(_ bytes: some Collection<UInt8>) -> Bool {
        (1...32).contains(bytes.count) && bytes.first != UInt8(ascii: "-")
            && bytes.allSatisfy { byte in
                byte.isBase62 || byte == UInt8(ascii: "-")
            }
    }
}

extension UInt8 {
    var isDecimalDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
    var isLowercaseLetter: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) }
    var isUppercaseLetter: Bool { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) }
    /// A decimal digit or an ASCII letter.
    var isBase62: Bool { isDecimalDigit || isLowercaseLetter || isUppercaseLetter }
}
