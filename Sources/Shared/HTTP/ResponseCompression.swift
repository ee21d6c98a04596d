import HTTPTypes
import Hummingbird
import NIOCore

/// Compresses what is worth it, for who asks for it (RFC 9110 §12.5.3). gzip alone: every client that asks for anything
/// knows it.
enum ResponseCompression {
    /// Bytes below which the headers weigh more than what is saved.
    static let smallest = 1_024
    /// Marks the entity tag of a compressed answer, whose bytes are others (RFC 9110 §8.8.3.3).
    private static let mark = "-gzip\""

    /// The request as the handlers see it, who know their answers' own tags alone.
    static func unmark(_ request: Request) -> Request {
        guard request.headers[.ifMatch] != nil || request.headers[.ifNoneMatch] != nil else { return request }
        var head = request.head
        for name in [HTTPField.Name.ifMatch, .ifNoneMatch] {
            guard let tags = head.headerFields[name], tags.contains(mark) else { continue }
            head.headerFields[name] = tags.replacing(mark, with: "\"")
        }
        return Request(head: head, body: request.body)
    }

    static func apply(to response: Response, for request: Request) -> Response {
        guard response.body.contentLength ?? smallest >= smallest, isWorthIt(response.headers) else { return response }
        var response = response
        // Who asks otherwise gets other bytes, so a cache has to look at what was asked.
        response.headers[values: .vary].append("Accept-Encoding")
        guard accepts(request.headers[values: .acceptEncoding]), let deflation = try? Deflation() else {
            return response // without memory for zlib it goes out plain
        }
        response.headers[.contentEncoding] = "gzip"
        response.headers[.contentLength] = nil
        if let tag = response.headers[.eTag], tag.hasSuffix("\"") {
            response.headers[.eTag] = tag.dropLast() + mark
        }
        let body = response.body
        response.body = ResponseBody { writer in
            try await body.write(GzipBodyWriter(inner: writer, deflation: deflation))
        }
        return response
    }

    /// Text of any kind that isn't compressed yet. Streams of events stay as they are: each is small and wanted at once. So
    /// does what nobody may store: it holds secrets, and a compressed length tells of what stands beside them (BREACH).
    private static func isWorthIt(_ headers: HTTPFields) -> Bool {
        guard headers[.contentEncoding] == nil, headers[.cacheControl] != "no-store",
            let type = headers[.contentType]
        else { return false }
        if type.hasPrefix("text/") { return !type.hasPrefix("text/event-stream") }
        return type.hasPrefix("application/json") || type.hasPrefix("application/problem+json")
            || type.hasPrefix("application/javascript") || type.hasPrefix("image/svg+xml")
    }

    /// Whether gzip has a weight above zero, by name or else by `*`.
    static func accepts(_ values: [String]) -> Bool {
        var anything = false
        for item in values.flatMap({ $0.split(separator: ",") }) {
            let parts = item.split(separator: ";").map { $0.filter { !$0.isWhitespace }.lowercased() }
            let wanted = parts.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 } ?? 1
            if parts.first == "gzip" || parts.first == "x-gzip" { return wanted > 0 }
            if parts.first == "*" { anything = wanted > 0 }
        }
        return anything
    }
}

private struct GzipBodyWriter: ResponseBodyWriter {
    var inner: any ResponseBodyWriter
    let deflation: Deflation

    mutating func write(_ buffer: ByteBuffer) async throws {
        guard buffer.readableBytes > 0 else { return } // nothing in, and zlib would complain of it
        try await inner.write(try deflation.compress(buffer))
    }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {
        try await inner.write(try deflation.finish())
        try await inner.finish(trailingHeaders)
    }
}
