import CZlib
import NIOCore

/// A gzip stream that is written piece by piece (RFC 1952).
///
/// Unchecked: one body or archive is written by one task, piece after piece, and nobody else has its stream.
package final class Deflation: @unchecked Sendable {
    private struct Failed: Error {}

    private let stream: UnsafeMutablePointer<z_stream>

    /// - Parameter level: 1 to 9, speed against size.
    package init(level: Int32 = 5) throws {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // 31: windowBits of 15, and 16 for gzip's wrapper; 8 is zlib's own default for memory.
        let status = deflateInit2_(
            stream, level, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else {
            stream.deallocate()
            throw Failed()
        }
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    /// What is to be sent for these bytes. A reader can decompress all that was written so far, so that a body which comes
    /// slowly is not held back.
    package func compress(_ bytes: ByteBuffer) throws -> ByteBuffer {
        try run(bytes, Z_SYNC_FLUSH)
    }

    /// The stream's end.
    package func finish() throws -> ByteBuffer {
        try run(ByteBuffer(), Z_FINISH)
    }

    private func run(_ bytes: ByteBuffer, _ flush: Int32) throws -> ByteBuffer {
        var output = ByteBuffer()
        try bytes.withUnsafeReadableBytes { input in
            // zlib does not write through `next_in`; its type only lacks the const.
            stream.pointee.next_in = UnsafeMutableRawPointer(mutating: input.baseAddress)?
                .assumingMemoryBound(to: UInt8.self)
            stream.pointee.avail_in = UInt32(input.count)
            repeat {
                var status = Z_OK
                output.writeWithUnsafeMutableBytes(minimumWritableBytes: max(256, input.count / 4)) { space in
                    stream.pointee.next_out = space.baseAddress?.assumingMemoryBound(to: UInt8.self)
                    stream.pointee.avail_out = UInt32(space.count)
                    status = deflate(stream, flush)
                    return space.count - Int(stream.pointee.avail_out)
                }
                guard status != Z_STREAM_ERROR else { throw Failed() }
            } while stream.pointee.avail_out == 0
        }
        return output
    }
}
