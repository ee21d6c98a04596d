import Foundation

/// Whether bytes are JSON to the letter (RFC 8259): in UTF-8, with text in each string.
///
/// Foundation's decoder, which reads a body afterwards, is satisfied with less: it takes trailing commas, byte order marks and
/// UTF-16, and does not look at values that nobody asks for, such as `1.` or `"\x"`.
package enum StrictJSON {
    /// Containers within one another, which bounds the stack.
    package static let maxDepth = 64

    /// As far as a double's goes. PostgreSQL writes a number out in full: `1e131000` has that many digits.
    package static let maxExponent = 308

    /// Whether some number in this JSON would be written with more digits than any is meant to have.
    package static func hasHugeNumber(_ bytes: ArraySlice<UInt8>) -> Bool {
        var scanner = Scanner(rest: bytes)
        return !scanner.takeValue(depth: 0) || scanner.hasHugeNumber
    }

    package static func isValid(_ bytes: [UInt8]) -> Bool {
        guard String(validating: bytes, as: UTF8.self) != nil else { return false }
        var scanner = Scanner(rest: bytes[...])
        return scanner.takeValue(depth: 0) && scanner.rest.isEmpty
    }

    /// The members of an object, as they are written; of two with one name the last.
    ///
    /// - Returns: nil for what is not JSON, or no object.
    package static func members(of bytes: [UInt8]) -> [String: ArraySlice<UInt8>]? {
        guard String(validating: bytes, as: UTF8.self) != nil else { return nil }
        var scanner = Scanner(rest: bytes[...])
        var members: [String: ArraySlice<UInt8>] = [:]
        var areNamed = true
        scanner.skipSpace()
        let isObject = scanner.takeObject(0) { name, value in
            guard let name = try? JSONDecoder().decode(String.self, from: Data(name)) else { return areNamed = false }
            members[name] = value
        }
        scanner.skipSpace()
        return isObject && areNamed && scanner.rest.isEmpty ? members : nil
    }

    /// The elements of an array, as they are written.
    ///
    /// - Returns: nil for what is not JSON, or no array.
    package static func elements(of bytes: [UInt8]) -> [ArraySlice<UInt8>]? {
        guard String(validating: bytes, as: UTF8.self) != nil else { return nil }
        var scanner = Scanner(rest: bytes[...])
        var elements: [ArraySlice<UInt8>] = []
        scanner.skipSpace()
        let isArray = scanner.takeArray(0) { elements.append($0) }
        scanner.skipSpace()
        return isArray && scanner.rest.isEmpty ? elements : nil
    }
}

/// Each step takes what it names from the front and says whether it was there.
private struct Scanner {
    var rest: ArraySlice<UInt8>
    /// One whose exponent is beyond `maxExponent`.
    var hasHugeNumber = false

    mutating func takeValue(depth: Int) -> Bool {
        skipSpace()
        defer { skipSpace() }
        switch rest.first {
        case UInt8(ascii: "{"): return depth < StrictJSON.maxDepth && takeObject(depth)
        case UInt8(ascii: "["): return depth < StrictJSON.maxDepth && takeArray(depth)
        case UInt8(ascii: "\""): return takeString()
        case UInt8(ascii: "t"): return take("true")
        case UInt8(ascii: "f"): return take("false")
        case UInt8(ascii: "n"): return take("null")
        default: return takeNumber()
        }
    }

    /// - Parameter member: is told each member's name and value, as they are written.
    mutating func takeObject(
        _ depth: Int, _ member: (_ name: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) -> Void = { _, _ in }
    ) -> Bool {
        guard take("{") else { return false }
        skipSpace()
        if take("}") { return true }
        repeat {
            skipSpace()
            let beforeName = rest
            guard takeString() else { return false }
            let name = beforeName[..<rest.startIndex]
            skipSpace()
            guard take(":") else { return false }
            let beforeValue = rest
            guard takeValue(depth: depth + 1) else { return false }
            member(name, beforeValue[..<rest.startIndex])
        } while take(",")
        return take("}")
    }

    /// - Parameter element: is told each element, as it is written.
    mutating func takeArray(_ depth: Int, _ element: (ArraySlice<UInt8>) -> Void = { _ in }) -> Bool {
        guard take("[") else { return false }
        skipSpace()
        if take("]") { return true }
        repeat {
            let before = rest
            guard takeValue(depth: depth + 1) else { return false }
            element(before[..<rest.startIndex])
        } while take(",")
        return take("]")
    }

    private mutating func takeString() -> Bool {
        guard take("\"") else { return false }
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "\""): return true
            case UInt8(ascii: "\\"): guard takeEscape() else { return false }
            case 0..<0x20: return false
            default: continue
            }
        }
        return false
    }

    /// What follows a backslash; of a surrogate pair both halves.
    private mutating func takeEscape() -> Bool {
        guard let name = rest.popFirst() else { return false }
        guard name == UInt8(ascii: "u") else { return "\"\\/bfnrt".utf8.contains(name) }
        guard let unit = takeCodeUnit() else { return false }
        guard UTF16.isLeadSurrogate(unit) else { return !UTF16.isTrailSurrogate(unit) }
        guard take("\\u"), let second = takeCodeUnit() else { return false }
        return UTF16.isTrailSurrogate(second)
    }

    private mutating func takeCodeUnit() -> UInt16? {
        let digits = rest.prefix(4)
        guard digits.count == 4, digits.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }) else {
            return nil
        }
        rest = rest.dropFirst(4)
        return UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
    }

    private mutating func takeNumber() -> Bool {
        _ = take("-")
        if !take("0") { guard takeDigits() else { return false } }
        if take(".") { guard takeDigits() else { return false } }
        guard take("e") || take("E") else { return true }
        if !take("+") { _ = take("-") }
        let beforeExponent = rest
        guard takeDigits() else { return false }
        let exponent = Int(String(decoding: beforeExponent[..<rest.startIndex], as: UTF8.self)) ?? .max
        hasHugeNumber = hasHugeNumber || exponent > StrictJSON.maxExponent
        return true
    }

    private mutating func takeDigits() -> Bool {
        let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        rest = rest.dropFirst(digits.count)
        return !digits.isEmpty
    }

    private mutating func take(_ word: StaticString) -> Bool {
        let bytes = UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
        guard rest.starts(with: bytes) else { return false }
        rest = rest.dropFirst(bytes.count)
        return true
    }

    mutating func skipSpace() {
        rest = rest.drop { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }
    }
}
