/// A Swift source's words, symbols and string literals, without comments: as much syntax as finding SQL needs.
struct SwiftToken {
    enum Kind {
        case word(String)
        case symbol(Character)
        case literal(SwiftLiteral)
    }

    let kind: Kind
    let line: Int
    /// Whether it is the first of its line.
    let beginsLine: Bool

    var word: String? {
        if case .word(let word) = kind { word } else { nil }
    }

    var literal: SwiftLiteral? {
        if case .literal(let literal) = kind { literal } else { nil }
    }

    func isSymbol(_ symbols: String) -> Bool {
        if case .symbol(let symbol) = kind { symbols.contains(symbol) } else { false }
    }
}

/// A string literal: text with its escapes undone and a multi-line literal's indentation removed, and what is
/// interpolated.
struct SwiftLiteral {
    enum Part {
        case text(String)
        case interpolation(source: String, tokens: [SwiftToken])
    }

    let parts: [Part]
    let line: Int

    /// What stands before the first interpolation.
    var beginning: String {
        if case .text(let text)? = parts.first { text } else { "" }
    }

    /// The text, with every interpolation as `…`.
    var outline: String {
        parts.map { part in if case .text(let text) = part { text } else { "…" } }.joined()
    }
}

struct SwiftLexer {
    let bytes: [UInt8]
    private(set) var at = 0
    private(set) var line: Int

    static func tokens(of source: String, fromLine line: Int = 1) -> [SwiftToken] {
        var lexer = SwiftLexer(bytes: Array(source.utf8), line: line)
        var tokens: [SwiftToken] = []
        while let token = lexer.next() { tokens.append(token) }
        return tokens
    }

    private init(bytes: [UInt8], line: Int) {
        self.bytes = bytes
        self.line = line
    }

    private func starts(with text: StaticString, at place: Int) -> Bool {
        text.withUTF8Buffer { bytes[min(place, bytes.count)...].starts(with: $0) }
    }

    private mutating func advance(by count: Int = 1) {
        for byte in bytes[at..<min(at + count, bytes.count)] where byte == UInt8(ascii: "\n") { line += 1 }
        at = min(at + count, bytes.count)
    }

    private func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    /// - Returns: whether a new line began.
    private mutating func skipBlanksAndComments() -> Bool {
        let start = line
        while at < bytes.count {
            if starts(with: "//", at: at) {
                while at < bytes.count, bytes[at] != UInt8(ascii: "\n") { advance() }
            } else if starts(with: "/*", at: at) {
                while at < bytes.count, !starts(with: "*/", at: at) { advance() }
                advance(by: 2)
            } else if bytes[at] == UInt8(ascii: " ") || bytes[at] == UInt8(ascii: "\n") {
                advance()
            } else {
                break
            }
        }
        return line > start
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "$"), 0x80...:
            true
        default: false
        }
    }

    private mutating func next() -> SwiftToken? {
        let isFirst = at == 0
        let beginsLine = skipBlanksAndComments() || isFirst
        guard at < bytes.count else { return nil }
        let (start, startLine) = (at, line)
        if bytes[at] == UInt8(ascii: "\"") {
            return SwiftToken(kind: .literal(literal()), line: startLine, beginsLine: beginsLine)
        }
        while at < bytes.count, Self.isWord(bytes[at]) { advance() }
        if at > start { return SwiftToken(kind: .word(text(start..<at)), line: startLine, beginsLine: beginsLine) }
        advance()
        return SwiftToken(
            kind: .symbol(Character(UnicodeScalar(bytes[start]))), line: startLine, beginsLine: beginsLine)
    }
}

extension SwiftLexer {
    private mutating func literal() -> SwiftLiteral {
        let start = line
        let isLong = starts(with: "\"\"\"", at: at)
        advance(by: isLong ? 3 : 1)
        if isLong, at < bytes.count { advance() } // the line's end
        var parts: [SwiftLiteral.Part] = []
        var piece: [UInt8] = []
        func closePiece() { if !piece.isEmpty { parts.append(.text(String(decoding: piece, as: UTF8.self))) } }
        while at < bytes.count, !(isLong ? starts(with: "\"\"\"", at: at) : bytes[at] == UInt8(ascii: "\"")) {
            if starts(with: "\\(", at: at) {
                closePiece()
                piece = []
                parts.append(interpolation())
            } else if bytes[at] == UInt8(ascii: "\\") {
                piece += escaped()
            } else {
                piece.append(bytes[at])
                advance()
            }
        }
        closePiece()
        advance(by: isLong ? 3 : 1)
        return SwiftLiteral(parts: isLong ? Self.unindented(parts) : parts, line: start)
    }

    /// Reads tokens to the closing parenthesis; strings within are literals of their own, so theirs don't count.
    private mutating func interpolation() -> SwiftLiteral.Part {
        advance(by: 2)
        let start = at
        var tokens: [SwiftToken] = []
        var depth = 0
        while let token = next() {
            if token.isSymbol("(") { depth += 1 }
            if token.isSymbol(")") { depth -= 1 }
            if depth < 0 { break }
            tokens.append(token)
        }
        return .interpolation(source: text(start..<max(start, at - 1)), tokens: tokens)
    }

    private mutating func escaped() -> [UInt8] {
        advance()
        guard at < bytes.count else { return [] }
        let byte = bytes[at]
        advance()
        switch byte {
        case UInt8(ascii: "\n"): return Self.joint
        case UInt8(ascii: "n"): return [UInt8(ascii: "\n")]
        case UInt8(ascii: "t"): return [UInt8(ascii: "\t")]
        case UInt8(ascii: "u"):
            let digits = bytes[at...].dropFirst().prefix { $0 != UInt8(ascii: "}") }
            advance(by: digits.count + 2)
            let scalar = UInt32(String(decoding: digits, as: UTF8.self), radix: 16).flatMap(UnicodeScalar.init)
            return scalar.map { Array(String($0).utf8) } ?? []
        default: return [byte]
        }
    }

    /// Stands for an escaped end of line until its indentation is gone.
    private static let joint = Array("\0\n".utf8)

    /// The last line, which the closing quotes end, says how far the others are indented.
    private static func unindented(_ parts: [SwiftLiteral.Part]) -> [SwiftLiteral.Part] {
        guard case .text(let last)? = parts.last else { return parts }
        let indentation = String(last.reversed().prefix { $0 == " " })
        return parts.indices.map { index in
            guard case .text(var text) = parts[index] else { return parts[index] }
            if index == parts.count - 1, text.hasSuffix("\n" + indentation) { text.removeLast(indentation.count + 1) }
            if index == 0, text.hasPrefix(indentation) { text.removeFirst(indentation.count) }
            let lines = text.replacing("\n" + indentation, with: "\n")
            return .text(lines.replacing("\0\n", with: ""))
        }
    }
}
