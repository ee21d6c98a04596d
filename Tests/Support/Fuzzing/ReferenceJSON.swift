/// RFC 8259 read by hand, character by character: slow, plain, and written without a look at the parsers it judges.
package indirect enum ReferenceJSON: Equatable {
    case null
    case boolean(Bool)
    /// As written.
    case number(String)
    /// Nil where the text is well delimited UTF-8 but has an unknown escape or half a surrogate pair.
    case string(String?)
    case array([ReferenceJSON])
    /// In the order of the text, names given twice included; a name is nil as a string is.
    case object([(name: String?, value: ReferenceJSON)])

    /// Nil for what is no JSON text in UTF-8, and for containers nested deeper than `maxDepth`, which spares the stack.
    package init?(_ bytes: [UInt8], maxDepth: Int = 512) {
        guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
        var reader = Reader(rest: Array(text.unicodeScalars)[...], maxDepth: maxDepth)
        guard let value = reader.value(depth: 0), reader.rest.isEmpty else { return nil }
        self = value
    }

    /// The member's value: the last one, or nil for none and null.
    package subscript(_ name: String) -> ReferenceJSON? {
        guard case .object(let members) = self, let last = members.last(where: { $0.name == name }) else { return nil }
        return last.value == .null ? nil : last.value
    }

    /// Whether a string or a name in it has no text.
    package var hasBrokenString: Bool {
        switch self {
        case .string(let text): text == nil
        case .array(let elements): elements.contains(where: \.hasBrokenString)
        case .object(let members): members.contains { $0.name == nil || $0.value.hasBrokenString }
        default: false
        }
    }

    package static func == (a: ReferenceJSON, b: ReferenceJSON) -> Bool {
        switch (a, b) {
        case (.null, .null): true
        case (.boolean(let a), .boolean(let b)): a == b
        case (.number(let a), .number(let b)): a == b
        // By scalars: Swift's == takes composed and decomposed letters for the same.
        case (.string(let a), .string(let b)): a.map { Array($0.utf8) } == b.map { Array($0.utf8) }
        case (.array(let a), .array(let b)): a == b
        case (.object(let a), .object(let b)):
            a.count == b.count
                && zip(a, b).allSatisfy { x, y in
                    ReferenceJSON.string(x.name) == .string(y.name) && x.value == y.value
                }
        default: false
        }
    }
}

private struct Reader {
    var rest: ArraySlice<Unicode.Scalar>
    let maxDepth: Int

    mutating func value(depth: Int) -> ReferenceJSON? {
        skipSpace()
        defer { skipSpace() }
        switch rest.first {
        case "{": return depth < maxDepth ? object(depth) : nil
        case "[": return depth < maxDepth ? array(depth) : nil
        case "\"": return string()
        case "t": return take("true") ? .boolean(true) : nil
        case "f": return take("false") ? .boolean(false) : nil
        case "n": return take("null") ? .null : nil
        default: return number()
        }
    }

    private mutating func object(_ depth: Int) -> ReferenceJSON? {
        rest.removeFirst()
        skipSpace()
        var members: [(name: String?, value: ReferenceJSON)] = []
        if take("}") { return .object(members) }
        repeat {
            skipSpace()
            guard rest.first == "\"", case .string(let name)? = string() else { return nil }
            skipSpace()
            guard take(":"), let value = value(depth: depth + 1) else { return nil }
            members.append((name, value))
        } while take(",")
        return take("}") ? .object(members) : nil
    }

    private mutating func array(_ depth: Int) -> ReferenceJSON? {
        rest.removeFirst()
        skipSpace()
        var elements: [ReferenceJSON] = []
        if take("]") { return .array(elements) }
        repeat {
            guard let value = value(depth: depth + 1) else { return nil }
            elements.append(value)
        } while take(",")
        return take("]") ? .array(elements) : nil
    }

    private mutating func string() -> ReferenceJSON? {
        rest.removeFirst()
        var units: [UInt16] = []
        var isBroken = false
        while let scalar = rest.popFirst() {
            switch scalar {
            case "\"":
                let text = isBroken ? nil : String(validating: units, as: UTF16.self)
                return .string(text)
            case "\\":
                guard let escaped = rest.popFirst(), escaped.value >= 0x20 else { return nil }
                if let unit = escape(escaped) { units.append(unit) } else { isBroken = true }
            case _ where scalar.value < 0x20: return nil
            default: units.append(contentsOf: String(scalar).utf16)
            }
        }
        return nil
    }

    /// The code unit that an escape stands for.
    private mutating func escape(_ scalar: Unicode.Scalar) -> UInt16? {
        switch scalar {
        case "\"", "\\", "/": return UInt16(scalar.value)
        case "b": return 8
        case "f": return 12
        case "n": return 10
        case "r": return 13
        case "t": return 9
        case "u":
            let digits = rest.prefix(4)
            guard digits.count == 4, digits.allSatisfy({ $0.properties.isASCIIHexDigit }) else { return nil }
            rest = rest.dropFirst(4)
            return UInt16(String(String.UnicodeScalarView(digits)), radix: 16)
        default: return nil
        }
    }

    private mutating func number() -> ReferenceJSON? {
        let start = rest
        _ = take("-")
        let whole = digits()
        guard whole == 1 || (whole > 1 && start[start.startIndex + (start.first == "-" ? 1 : 0)] != "0") else {
            return nil
        }
        if take(".") { guard digits() > 0 else { return nil } }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            guard digits() > 0 else { return nil }
        }
        return .number(String(String.UnicodeScalarView(start[..<rest.startIndex])))
    }

    private mutating func digits() -> Int {
        let digits = rest.prefix { ("0"..."9").contains($0) }
        rest = rest.dropFirst(digits.count)
        return digits.count
    }

    private mutating func skipSpace() {
        rest = rest.drop { $0 == " " || $0 == "\t" || $0 == "\n" || $0 == "\r" }
    }

    private mutating func take(_ word: String) -> Bool {
        guard rest.starts(with: word.unicodeScalars) else { return false }
        rest = rest.dropFirst(word.unicodeScalars.count)
        return true
    }
}
