import Foundation
import Support
import Testing

@testable import Postgres

/// What comes over PostgreSQL's wire, damaged: a value or an error, and where it is a value it is written as it was read.
struct WireFuzzTests {
    @Test func arraysOfNumbers() throws {
        let corpus = [
            [Int64]().parameter, [1, -2, .max].parameter, [Int32(7), .min].parameter,
            [1.5, -.infinity, .nan].parameter,
            [Int16(3)].parameter, ["a", "é", ""].parameter, [Int64?.none, 5].parameter,
        ]
        var fuzzer = Fuzzer("array", bytes: corpus.map { $0.bytes ?? [] }, mutations: .bytes, iterations: 3_000)
        try fuzzer.run { bytes in
            try bytes.withUnsafeBytes { bytes in
                let numbers = try Self.decode([Int64].self, bytes, oid: [Int64].oid)
                let elementOID = try? bytes.bigEndian(at: 8, as: UInt32.self)
                if let numbers, elementOID == Int64.oid, bytes.count == 20 + 12 * numbers.count {
                    let written = Array(try #require(numbers.parameter.bytes).dropFirst(20))
                    try holds(written.elementsEqual(bytes.dropFirst(20)), "elements written as they were read")
                }
                for count in [
                    numbers?.count, try Self.decode([Double].self, bytes, oid: [Double].oid)?.count,
                    try Self.decode([String].self, bytes, oid: [String].oid)?.count,
                    try Self.decode([Int32?].self, bytes, oid: [Int32].oid)?.count,
                ].compactMap({ $0 }) {
                    try holds(count * 4 <= bytes.count, "\(count) elements in \(bytes.count) bytes")
                }
                return numbers != nil
            }
        }
        #expect(fuzzer.hasReached(100))
    }

    @Test func numericTexts() throws {
        let corpus: [[UInt8]] = [
            [0, 1, 0, 0, 0, 0, 0, 0, 0, 5], [0, 2, 0, 0, 0x40, 0, 0, 2, 0, 12, 0x13, 0x88],
            [0, 0, 0, 0, 0xC0, 0, 0, 0], [0, 3, 0, 1, 0, 0, 0, 4, 0, 1, 0x27, 0x0F, 0x27, 0x0F],
            [0, 1, 0xFF, 0xFE, 0, 0, 0, 10, 0, 1],
        ]
        var fuzzer = Fuzzer("numeric", bytes: corpus, mutations: .bytes, iterations: 800)
        try fuzzer.run { bytes in
            let text = try bytes.withUnsafeBytes { try Self.decode(String.self, $0, oid: TypeOID.numeric) }
            guard let text else { return false }
            let digits = stride(from: 8, to: bytes.count - 1, by: 2).map { Int(bytes[$0]) << 8 | Int(bytes[$0 + 1]) }
            // A server that sends other groups of digits isn't PostgreSQL; its text means nothing, but nothing breaks.
            guard digits.allSatisfy({ $0 < 10_000 }) else { return true }
            try holds(
                text.wholeMatch(of: /-?(0|[1-9][0-9]*)(\.[0-9]+)?|NaN|-?Infinity/) != nil,
                "\(text.prefix(100)) is no number")
            return true
        }
        #expect(fuzzer.hasReached(100))
    }

    @Test func scalars() throws {
        let corpus: [[UInt8]] = [
            [], [1], [0, 1], [0, 0, 0, 1], Array(repeating: 0x80, count: 8), Array(0..<16), Array("\u{1}{}".utf8),
        ]
        var fuzzer = Fuzzer("scalar", bytes: corpus, mutations: .bytes)
        let types: [any (PostgresDecodable & PostgresEncodable).Type] = [
            Int16.self, Int32.self, Int64.self, Float.self, Double.self, Bool.self, Timestamp.self, UUID.self,
            [UInt8].self,
        ]
        try fuzzer.run { bytes in
            try bytes.withUnsafeBytes { raw in
                try types.map { try Self.isReversible($0, raw) }.contains(true)
            }
        }
        #expect(fuzzer.hasReached(100))
    }

    private static func isReversible<Value: PostgresDecodable & PostgresEncodable>(
        _ type: Value.Type, _ bytes: UnsafeRawBufferPointer
    ) throws -> Bool {
        guard let value = try decode(type, bytes, oid: type.oid) else { return false }
        let again = try #require(value.parameter.bytes).withUnsafeBytes { try? Value.decode($0, oid: type.oid) }
        try holds(again.map { $0.parameter.bytes == value.parameter.bytes } ?? false, "\(type) written and read")
        return true
    }

    /// Nil for an error of decoding; any other is a violation.
    private static func decode<Value: PostgresDecodable>(
        _ type: Value.Type, _ bytes: UnsafeRawBufferPointer, oid: UInt32
    ) throws -> Value? {
        do {
            return try Value.decode(bytes, oid: oid)
        } catch let error as PostgresError where error.kind == .decoding {
            return nil
        }
    }
}
