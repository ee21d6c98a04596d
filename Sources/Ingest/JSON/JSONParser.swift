import CSimdjson
import Synchronization

/// One simdjson parser with its buffers. What a parse yields points into them, so it lives until the next parse.
///
/// `@unchecked Sendable`: the C object has no lock of its own. `JSONParserPool` hands a parser to one caller at a
/// time, and its lock orders one caller's work before the next one's.
final class JSONParser: @unchecked Sendable {
    private let raw: OpaquePointer

    init() {
        guard let raw = csj_parser_create() else { fatalError("out of memory") }
        self.raw = raw
    }

    deinit { csj_parser_destroy(raw) }

    /// Bytes kept between parses.
    var footprint: Int { csj_parser_footprint(raw) }

    /// Reads a metric batch document; see `csj_parse_metrics`.
    func metrics(
        _ text: UnsafeRawBufferPointer, maxRows: Int, maxLabels: Int
    ) throws(JSONFault) -> csj_metric_document {
        try load(text)
        var document = csj_metric_document()
        try JSONFault.check(csj_parse_metrics(raw, UInt32(maxRows), UInt32(maxLabels), &document))
        return document
    }

    /// Reads any JSON object or array; the node is its root.
    func tree(_ text: UnsafeRawBufferPointer, maxNodes: Int) throws(JSONFault) -> JSONNode {
        try load(text)
        var tree = csj_tree()
        try JSONFault.check(csj_parse_tree(raw, UInt32(maxNodes), &tree))
        guard let nodes = tree.nodes, tree.count > 0 else { throw .notJSON }
        return JSONNode(nodes: nodes, index: 0)
    }

    private func load(_ text: UnsafeRawBufferPointer) throws(JSONFault) {
        try JSONFault.check(csj_parser_load(raw, text.baseAddress, text.count))
    }
}

/// Why a text could not be read as a whole.
enum JSONFault: Error, Equatable {
    /// Not RFC 8259, not UTF-8, or something follows the document.
    case notJSON
    /// Nested deeper than any document of ours (128).
    case tooDeep
    /// More rows or nodes than allowed.
    case tooMany
    /// Well-formed, but of another shape than asked for.
    case notObject
    case outOfMemory

    fileprivate static func check(_ status: CSJStatus) throws(JSONFault) {
        switch status {
        case .OK: return
        case .notJSON: throw .notJSON
        case .tooDeep: throw .tooDeep
        case .tooMany: throw .tooMany
        case .notObject: throw .notObject
        case .noMemory: throw .outOfMemory
        }
    }
}

/// A bounded free list of parsers. Parsing never suspends, so no more parsers exist at once than threads run; the
/// bound says how many of them are kept, and a parser that a large body has grown is let go.
final class JSONParserPool: Sendable {
    private let idle = Mutex<[JSONParser]>([])
    private let capacity: Int
    private let maxFootprint: Int

    /// - Parameter maxFootprint: bytes beyond which a parser is not kept.
    init(capacity: Int = 8, maxFootprint: Int = 4 << 20) {
        self.capacity = capacity
        self.maxFootprint = maxFootprint
    }

    func withParser<Value, Failure: Error>(
        _ body: (JSONParser) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        let parser = idle.withLock { $0.popLast() } ?? JSONParser()
        defer { keep(parser) }
        return try body(parser)
    }

    /// Parsers waiting for work.
    var idleCount: Int { idle.withLock { $0.count } }

    private func keep(_ parser: JSONParser) {
        guard parser.footprint <= maxFootprint else { return }
        idle.withLock { if $0.count < capacity { $0.append(parser) } }
    }
}
