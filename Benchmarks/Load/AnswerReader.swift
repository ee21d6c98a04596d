import CEpoll
import Foundation

/// Finds the end of an HTTP/1.1 answer in what a connection received so far: by Content-Length, by chunks, or right after the
/// head where the status has no body (RFC 9112 §6.3). An answer that only ends with its connection is refused.
enum AnswerReader {
    enum Progress: Equatable {
        case incomplete
        /// The answer's bytes are `0..<end`, its body begins at `body`.
        case complete(status: Int, body: Int, end: Int, closes: Bool)
    }

    struct Malformed: Error, CustomStringConvertible {
        let description: String
    }

    private struct Head {
        var status = 0
        var length: Int?
        var isChunked = false
        var closes = false
    }

    static func read(_ bytes: UnsafeRawBufferPointer) throws(Malformed) -> Progress {
        guard let headEnd = bytes.offset(of: "\r\n\r\n") else { return .incomplete }
        let head = try readHead(bytes, end: headEnd)
        let body = headEnd + 4
        let end: Int
        if head.status == 204 || head.status == 304 {
            end = body
        } else if head.isChunked {
            guard let found = try endOfChunks(bytes, from: body) else { return .incomplete }
            end = found
        } else if let length = head.length {
            guard bytes.count >= body + length else { return .incomplete }
            end = body + length
        } else {
            throw Malformed(description: "an answer without a length: \(text(bytes))")
        }
        return .complete(status: head.status, body: body, end: end, closes: head.closes)
    }

    private static func readHead(_ bytes: UnsafeRawBufferPointer, end: Int) throws(Malformed) -> Head {
        guard end > 11, bytes.starts(with: "HTTP/1.1 ".utf8), let status = number(bytes, at: 9) else {
            throw Malformed(description: "no HTTP/1.1 answer: \(text(bytes))")
        }
        var head = Head(status: status)
        var start = 0
        while let lineEnd = bytes.offset(of: "\r\n", from: start), lineEnd < end {
            start = lineEnd + 2
            if bytes.says("content-length:", at: start) {
                head.length = number(bytes, at: start + 15)
            } else if bytes.says("transfer-encoding:", at: start) {
                head.isChunked = bytes.says("chunked", at: bytes.afterBlanks(start + 18))
            } else if bytes.says("connection:", at: start) {
                head.closes = bytes.says("close", at: bytes.afterBlanks(start + 11))
            }
        }
        return head
    }

    /// Nil when the last chunk is not there yet. Trailers are passed over.
    private static func endOfChunks(_ bytes: UnsafeRawBufferPointer, from start: Int) throws(Malformed) -> Int? {
        var position = start
        while let lineEnd = bytes.offset(of: "\r\n", from: position) {
            let line = String(decoding: bytes[position..<lineEnd], as: UTF8.self)
            guard let length = Int(line.prefix { $0 != ";" }, radix: 16) else {
                throw Malformed(description: "a chunk of length \(line)")
            }
            if length == 0 { return bytes.offset(of: "\r\n\r\n", from: lineEnd).map { $0 + 4 } }
            position = lineEnd + 2 + length + 2
            if position > bytes.count { return nil }
        }
        return nil
    }

    /// The beginning of an answer, for people.
    static func text(_ bytes: UnsafeRawBufferPointer) -> String {
        String(decoding: bytes.prefix(600), as: UTF8.self)
    }

    /// The decimal number after blanks, nil without a digit.
    private static func number(_ bytes: UnsafeRawBufferPointer, at start: Int) -> Int? {
        var position = bytes.afterBlanks(start)
        let first = position
        var number = 0
        while position < bytes.count, case 48...57 = bytes[position], position - first < 18 {
            number = number * 10 + Int(bytes[position]) - 48
            position += 1
        }
        return position > first ? number : nil
    }
}

extension UnsafeRawBufferPointer {
    /// Where the text first begins, at or after `start`.
    func offset(of text: StaticString, from start: Int = 0) -> Int? {
        guard let base = baseAddress, start < count else { return nil }
        return memmem(base + start, count - start, text.utf8Start, text.utf8CodeUnitCount).map {
            UnsafeRawPointer($0) - base
        }
    }

    func contains(_ text: [UInt8], from start: Int) -> Bool {
        guard let base = baseAddress, start < count else { return false }
        return memmem(base + start, count - start, text, text.count) != nil
    }

    /// Whether the text, of ASCII in any case, stands there.
    func says(_ text: StaticString, at start: Int) -> Bool {
        guard let base = baseAddress, start + text.utf8CodeUnitCount <= count else { return false }
        let here = (base + start).assumingMemoryBound(to: CChar.self)
        return text.utf8Start.withMemoryRebound(to: CChar.self, capacity: text.utf8CodeUnitCount) {
            strncasecmp(here, $0, text.utf8CodeUnitCount) == 0
        }
    }

    func afterBlanks(_ start: Int) -> Int {
        var position = start
        while position < count, self[position] == 32 || self[position] == 9 { position += 1 }
        return position
    }
}
