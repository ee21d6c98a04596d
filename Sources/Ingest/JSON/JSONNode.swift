import CSimdjson
import Foundation

/// A value of a parsed text. It points into its parser, so it must not leave the parser's closure.
struct JSONNode {
    let nodes: UnsafePointer<csj_node>
    let index: Int

    enum Kind {
        case null, boolean, number
        /// A number by the grammar that has no finite double, such as 1e400.
        case overflow
        case string
        /// A string without text: an unknown escape, half a surrogate pair.
        case brokenString
        case array, object
    }

    var kind: Kind {
        switch nodes[index].text.kind {
        case .absent, .null: .null
        case .false, .true: .boolean
        case .number: .number
        case .overflow: .overflow
        case .string: .string
        case .brokenString: .brokenString
        case .array: .array
        case .object: .object
        }
    }

    var isNull: Bool { kind == .null }

    /// A string's text without escapes, or a number as it was written.
    var text: UnsafeBufferPointer<UInt8> { Self.bytes(nodes[index].text) }

    /// The name under which an object holds this value, without escapes.
    var key: UnsafeBufferPointer<UInt8> { Self.bytes(nodes[index].key) }

    /// Whether the name has no text.
    var keyIsBroken: Bool { nodes[index].key.kind == .brokenString }

    var string: String? { kind == .string ? String(decoding: text, as: UTF8.self) : nil }

    /// A number, finite. Integers beyond 2⁵³ are rounded; `text` has them as written.
    var double: Double? { kind == .number ? nodes[index].number : nil }

    var boolean: Bool? {
        kind == .boolean ? nodes[index].text.kind == .true : nil
    }

    /// A number without a fraction that a double holds exactly.
    var integer: Int64? {
        guard let double, abs(double) < 9_007_199_254_740_992 else { return nil }
        return Int64(exactly: double)
    }

    /// The values of an array or an object, in the order of the text.
    var children: Children { Children(next: self, end: end) }

    /// The member `name`; of several the last, as PostgreSQL's jsonb has it. A null counts as absent.
    subscript(_ name: StaticString) -> JSONNode? {
        guard kind == .object else { return nil }
        var found: JSONNode?
        for child in children where child.isNamed(name) { found = child }
        guard let found, !found.isNull else { return nil }
        return found
    }

    /// Whether a string or a name in this value, however deep, has no text: an unknown escape, half a surrogate pair.
    var hasBrokenString: Bool {
        (index..<end).contains {
            nodes[$0].text.kind == .brokenString || ($0 > index && nodes[$0].key.kind == .brokenString)
        }
    }

    /// A number read as epoch milliseconds, in µs and truncated; nil beyond 18 digits.
    var epochMicroseconds: Int64? {
        guard kind == .number else { return nil }
        var microseconds: Int64 = 0
        guard csj_microseconds(text.baseAddress, UInt32(text.count), &microseconds) == 1 else { return nil }
        return microseconds
    }

    private var end: Int { Int(nodes[index].end) }

    private func isNamed(_ name: StaticString) -> Bool {
        let key = nodes[index].key
        return key.kind == .string && Int(key.length) == name.utf8CodeUnitCount
            && memcmp(key.start, name.utf8Start, name.utf8CodeUnitCount) == 0
    }

    private static func bytes(_ text: csj_text) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: text.start, count: Int(text.length))
    }

    struct Children: Sequence, IteratorProtocol {
        private let nodes: UnsafePointer<csj_node>
        private var at: Int
        private let end: Int

        fileprivate init(next parent: JSONNode, end: Int) {
            nodes = parent.nodes
            at = parent.index + 1
            self.end = end
        }

        mutating func next() -> JSONNode? {
            guard at < end else { return nil }
            defer { at = Int(nodes[at].end) }
            return JSONNode(nodes: nodes, index: at)
        }
    }
}
