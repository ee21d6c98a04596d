import Foundation
import HTTPTypes
import NIOCore
import Shared
import Testing

struct InflateTests {
    private static let text = String(repeating: "pulsegate ", count: 20)
    private static let gzip = "H4sIAAAAAAACAysozSlOTU8sSVUoGNIsAE5ym8rIAAAA"
    private static let zlib = "eJwrKM0pTk1PLElVKBjSLADexk5J"
    private static let raw = "KyjNKU5NTyxJVSgY0iwA"
    /// The same text in two members of 100 bytes each.
    private static let members =
        "H4sIAAAAAAACAysozSlOTU8sSVUooBkLAFOrLDRkAAAAH4sIAAAAAAACAysozSlOTU8sSVUooBkLAFOrLDRkAAAA"
    /// 200,000 zero bytes.
    private static let bomb =
        "H4sIAAAAAAACA+3BMQEAAADCoPVPbQZ/oA" + String(repeating: "A", count: 256) + "CA1wB7WOBcQA0DAA=="

    private func buffer(_ base64: String) throws -> ByteBuffer {
        ByteBuffer(bytes: try #require(Data(base64Encoded: base64)))
    }

    private func status(
        _ bytes: ByteBuffer, _ encoding: ContentEncoding, limit: Int = 1_000
    ) throws -> HTTPResponse.Status {
        try #require(throws: Problem.self) { try inflate(bytes, encoding: encoding, limit: limit) }.status
    }

    @Test(arguments: [
        (gzip, ContentEncoding.gzip), (members, .gzip), (zlib, .deflate), (raw, .deflate),
        (Data(text.utf8).base64EncodedString(), .identity),
    ])
    func inflates(base64: String, encoding: ContentEncoding) throws {
        let bytes = try buffer(base64)
        #expect(String(buffer: try inflate(bytes, encoding: encoding, limit: 200)) == Self.text, "exactly the limit")
        #expect(try status(bytes, encoding, limit: 199) == .contentTooLarge)
    }

    @Test(arguments: [(gzip, ContentEncoding.gzip), (members, .gzip), (zlib, .deflate)])
    func damageIsToldFromData(base64: String, encoding: ContentEncoding) throws {
        let bytes = try buffer(base64)
        for length in 0..<bytes.readableBytes where !(base64 == Self.members && length == bytes.readableBytes / 2) {
            let cut = try #require(bytes.getSlice(at: 0, length: length))
            #expect(try status(cut, encoding) == .badRequest, "cut to \(length)")
        }
        var trailing = bytes
        trailing.writeInteger(UInt8(7))
        #expect(try status(trailing, encoding) == .badRequest)
        var flipped = bytes
        flipped.setInteger(UInt8(0xFF), at: bytes.readableBytes - 8)
        #expect(try status(flipped, encoding) == .badRequest)
        #expect(try status(ByteBuffer(string: "not compressed at all"), encoding) == .badRequest)
    }

    @Test func aBombIsRefused() throws {
        #expect(try status(buffer(Self.bomb), .gzip, limit: 10_000) == .contentTooLarge)
        #expect(try inflate(try buffer(Self.bomb), encoding: .gzip, limit: 200_000).readableBytes == 200_000)
    }

    @Test func encodingsByName() throws {
        #expect(try ContentEncoding([]) == .identity)
        #expect(try ContentEncoding(["identity"]) == .identity)
        #expect(try ContentEncoding(["GZip"]) == .gzip)
        #expect(try ContentEncoding([" x-gzip "]) == .gzip)
        #expect(try ContentEncoding(["deflate, identity"]) == .deflate)
        for unknown in [["br"], ["gzip, gzip"], ["gzip", "deflate"], ["gzip;q=1"], ["gzip br"]] {
            let problem = try #require(throws: Problem.self) { try ContentEncoding(unknown) }
            #expect(problem.status == .unsupportedMediaType)
            #expect(problem.headers[.acceptEncoding] == "gzip, deflate")
        }
    }
}
