import CZlib
import Foundation
import HTTPTypes
import NIOCore
import Support
import Testing

@testable import Shared

/// Compressed bodies, damaged in all ways: what comes out is what zlib makes of the whole at once, or nothing, and never more
/// than the limit.
struct InflateFuzzTests {
    private static let texts = [
        "", "x", #"{"metrics":[{"name":"pos.sales_total","value":12.5,"labels":{"till":"3"}}]}"#,
        String(repeating: "pulsegate ", count: 40), (0..<400).map { "\($0 * 7_919)" }.joined(separator: ","),
    ]

    @Test func gzipAsZlibReadsIt() throws {
        let members = try Self.texts.map { try Self.compressed($0, windowBits: 31) }
        try check("gzip", members + [members[1] + members[2], members[0] + members[0] + members[3]], .gzip)
    }

    @Test func deflateAsZlibReadsIt() throws {
        let bodies = try Self.texts.flatMap { text in try [15, -15].map { try Self.compressed(text, windowBits: $0) } }
        try check("deflate", bodies, .deflate)
    }

    private func check(_ name: String, _ corpus: [[UInt8]], _ encoding: ContentEncoding) throws {
        var fuzzer = Fuzzer(name, bytes: corpus, mutations: .bytes, iterations: 2_000)
        try fuzzer.run { input in
            let whole = Self.reference(input, encoding)
            var isTaken = false
            for limit in Set([0, 1, whole.bytes.count - 1, whole.bytes.count, whole.bytes.count + 1, 1 << 20])
            where limit >= 0 {
                let result = Result(catching: { () throws(Problem) in
                    try Shared.inflate(ByteBuffer(bytes: input), encoding: encoding, limit: limit)
                })
                switch result {
                case .success(let bytes):
                    try holds(whole.isComplete, "damaged data was taken")
                    try holds(bytes.readableBytes <= limit, "\(bytes.readableBytes) bytes past \(limit)")
                    try holds(Array(bytes.readableBytesView) == whole.bytes, "other bytes than zlib's own")
                    isTaken = true
                case .failure(let problem) where problem.status == .contentTooLarge:
                    try holds(whole.bytes.count > limit, "too large, but \(whole.bytes.count) of \(limit)")
                case .failure(let problem):
                    try agree(problem.status, .badRequest, "refusal")
                    try holds(!whole.isComplete, "good data was refused")
                }
            }
            return isTaken
        }
        #expect(fuzzer.hasReached(20))
    }

    /// Everything at once into a buffer that is large enough, member by member: as far as it gets.
    private static func reference(_ input: [UInt8], _ encoding: ContentEncoding) -> (bytes: [UInt8], isComplete: Bool) {
        let isZlib = input.count >= 2 && input[0] & 0x0F == 8 && (Int(input[0]) * 256 + Int(input[1])) % 31 == 0
        var rest = input[...]
        var bytes: [UInt8] = []
        repeat {
            var stream = z_stream()
            inflateInit2_(
                &stream, encoding == .gzip ? 31 : isZlib ? 15 : -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
            defer { inflateEnd(&stream) }
            var source = Array(rest)
            let given = UInt32(source.count)
            var status = Z_OK
            bytes += [UInt8](unsafeUninitializedCapacity: 8 << 20) { output, count in
                source.withUnsafeMutableBufferPointer { source in
                    (stream.next_in, stream.avail_in) = (source.baseAddress, given)
                    (stream.next_out, stream.avail_out) = (output.baseAddress, UInt32(output.count))
                    status = CZlib.inflate(&stream, Z_FINISH)
                }
                count = output.count - Int(stream.avail_out)
            }
            guard status == Z_STREAM_END else { return (bytes, false) }
            rest = rest.dropFirst(Int(given - stream.avail_in))
        } while encoding == .gzip && !rest.isEmpty
        return (bytes, rest.isEmpty)
    }

    private static func compressed(_ text: String, windowBits: Int32) throws -> [UInt8] {
        var stream = z_stream()
        try #require(
            deflateInit2_(
                &stream, 6, Z_DEFLATED, windowBits, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
                Int32(MemoryLayout<z_stream>.size)) == Z_OK)
        defer { deflateEnd(&stream) }
        var source = Array(text.utf8)
        return [UInt8](unsafeUninitializedCapacity: source.count + 256) { output, count in
            source.withUnsafeMutableBufferPointer { source in
                (stream.next_in, stream.avail_in) = (source.baseAddress, UInt32(source.count))
                (stream.next_out, stream.avail_out) = (output.baseAddress, UInt32(output.count))
                deflate(&stream, Z_FINISH)
            }
            count = output.count - Int(stream.avail_out)
        }
    }
}
