/// Mutations that keep most of a JSON text's structure, so that what is behind the grammar is reached too.
enum JSONMutation {
    static func apply(to bytes: inout [UInt8], other: [UInt8], _ random: inout SplitMix) {
        guard let value = values(in: bytes).randomElement(using: &random) else {
            bytes.append(contentsOf: HostileJSON.values.randomElement(using: &random).map { Array($0.utf8) } ?? [])
            return
        }
        switch Int.random(in: 0..<8, using: &random) {
        case 0, 1, 2:
            bytes.replaceSubrange(value, with: Array((HostileJSON.values.randomElement(using: &random) ?? "0").utf8))
        case 3: // Of an object's member this leaves `"name":`, unless the comma helps.
            bytes.removeSubrange(value)
        case 4: bytes.insert(contentsOf: Array(",".utf8) + bytes[value], at: value.upperBound)
        case 5: duplicateMember(at: value, in: &bytes, &random)
        case 6:
            let (open, close) = Bool.random(using: &random) ? ("[", "]") : ("{\"a\":", "}")
            let depth = 1 << Int.random(in: 0...7, using: &random)
            bytes.insert(contentsOf: String(repeating: close, count: depth).utf8, at: value.upperBound)
            bytes.insert(contentsOf: String(repeating: open, count: depth).utf8, at: value.lowerBound)
        default:
            guard let foreign = values(in: other).randomElement(using: &random) else { return }
            bytes.replaceSubrange(value, with: other[foreign])
        }
    }

    /// `"name":value` again behind itself, with another value: which one counts?
    private static func duplicateMember(at value: Range<Int>, in bytes: inout [UInt8], _ random: inout SplitMix) {
        guard let colon = bytes[..<value.lowerBound].lastIndex(of: UInt8(ascii: ":")),
            let nameEnd = bytes[..<colon].lastIndex(of: UInt8(ascii: "\"")),
            let name = bytes[..<nameEnd].lastIndex(of: UInt8(ascii: "\""))
        else { return }
        let another = HostileJSON.values.randomElement(using: &random) ?? "0"
        bytes.insert(contentsOf: Array(",".utf8) + bytes[name...colon] + Array(another.utf8), at: value.upperBound)
    }

    /// Where values stand, judged without a grammar: strings, runs of other characters, and balanced brackets.
    private static func values(in bytes: [UInt8]) -> [Range<Int>] {
        var found: [Range<Int>] = []
        var open: [Int] = []
        var at = 0
        while at < bytes.count {
            let start = at
            switch bytes[at] {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                open.append(at)
                at += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                at += 1
                if let start = open.popLast() { found.append(start..<at) }
            case UInt8(ascii: ","), UInt8(ascii: ":"), 0x20, 0x0A, 0x0D, 0x09: at += 1
            case UInt8(ascii: "\""):
                at = stringEnd(bytes, from: at)
                found.append(start..<at)
            default:
                while at < bytes.count, !isPunctuation(bytes[at]) { at += 1 }
                at = max(at, start + 1)
                found.append(start..<at)
            }
        }
        return found
    }

    private static func stringEnd(_ bytes: [UInt8], from start: Int) -> Int {
        var at = start + 1
        while at < bytes.count, bytes[at] != UInt8(ascii: "\"") { at += bytes[at] == UInt8(ascii: "\\") ? 2 : 1 }
        return min(at + 1, bytes.count)
    }

    private static func isPunctuation(_ byte: UInt8) -> Bool { "{}[],:\" \n\r\t".utf8.contains(byte) }
}
