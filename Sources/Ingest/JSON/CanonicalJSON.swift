/// JSON text that depends on what it says alone: members sorted by the bytes of their names, a name given twice kept
/// with its last value (as jsonb does), no white space, escapes only where JSON wants them, numbers by
/// `CanonicalNumber`. Texts that differ in order, white space or escapes come out equal.
enum CanonicalJSON {
    enum Fault: Error, Equatable {
        case tooDeep
        case tooLong
        /// An unknown escape, or half a surrogate pair.
        case brokenString
        /// PostgreSQL's text can't hold U+0000.
        case nulCharacter
        case numberOutOfRange
    }

    /// A number or boolean inside a value, with the names and places that lead to it.
    struct Leaf {
        let path: [[UInt8]]
        let value: Double
    }

    /// - Parameters:
    ///   - maxBytes: of the canonical text.
    ///   - maxDepth: containers within one another, `node` itself counted.
    ///   - leaf: called for each number (as a double) and boolean (as 1 or 0), in the canonical order.
    static func text(
        of node: JSONNode, maxBytes: Int, maxDepth: Int, leaf: (Leaf) -> Void = { _ in }
    ) throws(Fault) -> [UInt8] {
        var writer = Writer(maxBytes: maxBytes, maxDepth: maxDepth)
        try writer.append(node, leaf)
        return writer.output
    }

    static func append(string: some Sequence<UInt8>, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        for byte in string {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): output.append(contentsOf: [UInt8(ascii: "\\"), byte])
            case 0x08: output.append(contentsOf: "\\b".utf8)
            case 0x09: output.append(contentsOf: "\\t".utf8)
            case 0x0A: output.append(contentsOf: "\\n".utf8)
            case 0x0C: output.append(contentsOf: "\\f".utf8)
            case 0x0D: output.append(contentsOf: "\\r".utf8)
            case 0..<0x20:
                let digits = Array("0123456789abcdef".utf8)
                output.append(contentsOf: "\\u00".utf8)
                output.append(contentsOf: [digits[Int(byte >> 4)], digits[Int(byte & 15)]])
            default: output.append(byte)
            }
        }
        output.append(UInt8(ascii: "\""))
    }
}

private struct Writer {
    typealias Fault = CanonicalJSON.Fault
    typealias Leaf = CanonicalJSON.Leaf

    let maxBytes: Int
    let maxDepth: Int
    var output: [UInt8] = []
    var path: [[UInt8]] = []

    init(maxBytes: Int, maxDepth: Int) {
        self.maxBytes = maxBytes
        self.maxDepth = maxDepth
    }

    mutating func append(_ node: JSONNode, _ leaf: (Leaf) -> Void) throws(Fault) {
        switch node.kind {
        case .object: try appendObject(node, leaf)
        case .array: try appendArray(node, leaf)
        case .string: try append(string: node.text)
        case .number:
            guard let value = node.double, CanonicalNumber.append(node.text, to: &output) else {
                throw .numberOutOfRange
            }
            leaf(Leaf(path: path, value: value))
        case .boolean:
            output.append(contentsOf: (node.boolean == true ? "true" : "false").utf8)
            leaf(Leaf(path: path, value: node.boolean == true ? 1 : 0))
        case .null: output.append(contentsOf: "null".utf8)
        case .brokenString: throw .brokenString
        case .overflow: throw .numberOutOfRange
        }
        if output.count > maxBytes { throw .tooLong }
    }

    private mutating func appendObject(_ node: JSONNode, _ leaf: (Leaf) -> Void) throws(Fault) {
        guard path.count < maxDepth else { throw .tooDeep }
        output.append(UInt8(ascii: "{"))
        var isFirst = true
        for member in try Self.members(of: node) {
            if !isFirst { output.append(UInt8(ascii: ",")) }
            isFirst = false
            try append(string: member.key)
            output.append(UInt8(ascii: ":"))
            path.append(Array(member.key))
            try append(member, leaf)
            path.removeLast()
        }
        output.append(UInt8(ascii: "}"))
    }

    private mutating func appendArray(_ node: JSONNode, _ leaf: (Leaf) -> Void) throws(Fault) {
        guard path.count < maxDepth else { throw .tooDeep }
        output.append(UInt8(ascii: "["))
        for (place, element) in node.children.enumerated() {
            if place > 0 { output.append(UInt8(ascii: ",")) }
            path.append(Array(String(place).utf8))
            try append(element, leaf)
            path.removeLast()
        }
        output.append(UInt8(ascii: "]"))
    }

    private mutating func append(string bytes: UnsafeBufferPointer<UInt8>) throws(Fault) {
        guard output.count + bytes.count <= maxBytes else { throw .tooLong }
        guard !bytes.contains(0) else { throw .nulCharacter }
        CanonicalJSON.append(string: bytes, to: &output)
    }

    /// The members by ascending name, each name once with its last value.
    private static func members(of node: JSONNode) throws(Fault) -> [JSONNode] {
        let all = Array(node.children)
        for member in all where member.keyIsBroken { throw .brokenString }
        // Equal names keep the order of the text, which `sorted` alone doesn't promise.
        let ordered = all.sorted {
            $0.key.lexicographicallyPrecedes($1.key)
                || (!$1.key.lexicographicallyPrecedes($0.key) && $0.index < $1.index)
        }
        return zip(ordered, ordered.dropFirst().map(Optional.some) + [nil]).compactMap { member, next in
            guard let next, next.key.elementsEqual(member.key) else { return member }
            return nil
        }
    }
}
