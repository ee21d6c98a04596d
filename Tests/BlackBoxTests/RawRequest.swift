import CZlib
import Foundation

/// Bytes of a request for metric batches.
struct RawRequest {
    let key: String
    var more: [String] = []

    private func head(_ framing: String) -> String {
        (["POST /v1/metrics/batch HTTP/1.1", "Host: gateway", "Authorization: Bearer \(key)"] + more + [framing])
            .joined(separator: "\r\n") + "\r\n\r\n"
    }

    func with(_ fields: String...) -> RawRequest { RawRequest(key: key, more: more + fields) }

    /// The head of a request whose body has this length.
    func head(length: Int) -> [UInt8] { Array(head("Content-Length: \(length)").utf8) }

    func body(_ body: [UInt8]) -> [UInt8] { head(length: body.count) + body }

    func body(_ text: String) -> [UInt8] { body(Array(text.utf8)) }

    /// In chunks of 64 KiB.
    func chunked(_ body: [UInt8]) -> [UInt8] {
        var bytes = Array(head("Transfer-Encoding: chunked").utf8)
        for start in stride(from: 0, to: body.count, by: 65_536) {
            let chunk = body[start..<min(start + 65_536, body.count)]
            bytes += Array(String(chunk.count, radix: 16).utf8) + [13, 10] + chunk + [13, 10]
        }
        return bytes + Array("0\r\n\r\n".utf8)
    }

    /// Without any word on a body.
    var bodiless: [UInt8] { Array(head("X-No: body").utf8) }

    /// A batch of one good row, of exactly so many bytes.
    static func batch(value: Int = 1, bytes: Int = 0) -> [UInt8] {
        let batch = Array(#"{"metrics":[{"name":"a","value":\#(value)}]}"#.utf8)
        return batch + Array(repeating: UInt8(ascii: " "), count: max(0, bytes - batch.count))
    }
}

enum Gzip {
    /// - Parameter pieces: handed to zlib one after the other, so that a bomb is made without the room that it takes.
    static func compress(_ piece: [UInt8], times: Int = 1) -> [UInt8] {
        var stream = z_stream()
        deflateInit2_(
            &stream, 1, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        defer { deflateEnd(&stream) }
        var piece = piece
        var output: [UInt8] = []
        for time in 1...times {
            piece.withUnsafeMutableBufferPointer { source in
                (stream.next_in, stream.avail_in) = (source.baseAddress, UInt32(source.count))
                repeat {
                    output += [UInt8](unsafeUninitializedCapacity: 65_536) { space, count in
                        (stream.next_out, stream.avail_out) = (space.baseAddress, UInt32(space.count))
                        deflate(&stream, time == times ? Z_FINISH : Z_NO_FLUSH)
                        count = space.count - Int(stream.avail_out)
                    }
                } while stream.avail_out == 0
            }
        }
        return output
    }
}
