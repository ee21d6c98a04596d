import CZlib
import NIOCore

/// Decompresses a body piece by piece, so that a bomb is refused once it passes the limit and costs no more than that.
/// - Parameter limit: bytes of the result.
/// - Throws: `Problem` 413 past the limit, 400 for damaged, cut or trailing data.
package func inflate(_ bytes: ByteBuffer, encoding: ContentEncoding, limit: Int) throws(Problem) -> ByteBuffer {
    let result: Result<ByteBuffer, Problem> = bytes.withUnsafeReadableBytes { input in
        do throws(Problem) {
            switch encoding {
            case .identity:
                guard input.count <= limit else { throw Problem.payloadTooLarge(limit: limit) }
                return .success(bytes)
            case .gzip: return .success(try Inflation(input, .gzip, limit).run())
            case .deflate: return .success(try Inflation(input, looksLikeZlib(input) ? .zlib : .raw, limit).run())
            }
        } catch {
            return .failure(error)
        }
    }
    return try result.get()
}

/// RFC 1950 §2.2: method 8, and the first two bytes are a multiple of 31. Raw deflate of any use doesn't begin so: it
/// would be a stored block with padding bits set, which no encoder writes.
private func looksLikeZlib(_ input: UnsafeRawBufferPointer) -> Bool {
    input.count >= 2 && input[0] & 0x0F == 8 && (UInt16(input[0]) << 8 | UInt16(input[1])) % 31 == 0
}

private struct Inflation {
    /// zlib's `windowBits`, which choose the format.
    enum Format: Int32 {
        case zlib = 15
        case gzip = 31
        case raw = -15
    }

    private static let corrupt = Problem.badRequest(code: "corrupt_body", detail: "The body can't be decompressed.")

    private let input: UnsafeRawBufferPointer
    private let format: Format
    private let limit: Int

    init(_ input: UnsafeRawBufferPointer, _ format: Format, _ limit: Int) {
        self.input = input
        self.format = format
        self.limit = limit
    }

    func run() throws(Problem) -> ByteBuffer {
        var stream = z_stream()
        // zlib does not write through `next_in`; its type only lacks the const.
        stream.next_in = UnsafeMutableRawPointer(mutating: input.baseAddress)?.assumingMemoryBound(to: UInt8.self)
        guard let length = UInt32(exactly: input.count) else { throw Problem.payloadTooLarge(limit: limit) }
        stream.avail_in = length
        guard inflateInit2_(&stream, format.rawValue, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw Problem.unavailable(cause: "zlib has no memory")
        }
        defer { inflateEnd(&stream) }
        var output = ByteBuffer()
        output.reserveCapacity(min(limit, max(4_096, input.count * 4)))
        while try step(&stream, &output) {}
        return output
    }

    /// - Returns: whether there is more to do.
    private func step(_ stream: inout z_stream, _ output: inout ByteBuffer) throws(Problem) -> Bool {
        // One byte beyond the limit tells "exactly the limit" from "more".
        let room = limit - output.readableBytes + 1
        var status = Z_OK
        output.writeWithUnsafeMutableBytes(minimumWritableBytes: min(room, 65_536)) { space in
            let size = min(space.count, room, Int(UInt32.max))
            stream.next_out = space.baseAddress?.assumingMemoryBound(to: UInt8.self)
            stream.avail_out = UInt32(size)
            status = CZlib.inflate(&stream, Z_NO_FLUSH)
            return size - Int(stream.avail_out)
        }
        guard output.readableBytes <= limit else { throw Problem.payloadTooLarge(limit: limit) }
        switch status {
        case Z_OK: return true
        case Z_STREAM_END where stream.avail_in == 0: return false
        // RFC 1952 §2.2: a gzip file may have several members, one after the other.
        case Z_STREAM_END where format == .gzip && inflateReset(&stream) == Z_OK: return true
        default: throw Self.corrupt // Z_BUF_ERROR among them: the input ended too early
        }
    }
}
