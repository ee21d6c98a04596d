import HTTPTypes

/// How a request's body is compressed (RFC 9110 §8.4.1).
package enum ContentEncoding: Hashable, Sendable {
    case identity
    case gzip
    /// zlib's format; raw deflate, which some clients send under this name, is understood too.
    case deflate

    /// - Parameter values: of all `Content-Encoding` headers. At most one encoding may be applied.
    /// - Throws: 415 with the encodings that would do.
    package init(_ values: [String]) throws(Problem) {
        let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        let names = values.flatMap { $0.split(separator: ",") }
            .map { String($0.drop(while: isSpace).reversed().drop(while: isSpace).reversed()).lowercased() }
            .filter { !$0.isEmpty && $0 != "identity" }
        switch names {
        case []: self = .identity
        case ["gzip"], ["x-gzip"]: self = .gzip
        case ["deflate"]: self = .deflate
        default:
            throw Problem.unsupportedMediaType(
                detail: "The body may be sent plain, or with Content-Encoding gzip or deflate.",
                headers: [.acceptEncoding: "gzip, deflate"])
        }
    }
}
