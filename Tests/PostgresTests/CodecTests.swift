import FoundationEssentials
import Testing

@testable import Postgres

/// Binary formats, without a server.
@Suite struct CodecTests {
    private func roundTrip<Value: PostgresEncodable & PostgresDecodable>(_ value: Value) throws -> Value {
        guard let bytes = value.parameter.bytes else { return try Value.decodeNull() }
        return try bytes.withUnsafeBytes { try Value.decode($0, oid: Value.oid) }
    }

    func decode<Value: PostgresDecodable>(_ bytes: [UInt8], _ oid: UInt32, as type: Value.Type) throws -> Value {
        try bytes.withUnsafeBytes { try Value.decode($0, oid: oid) }
    }

    @Test func numbersAreBigEndian() {
        #expect(Int32(0x0102_0304).parameter == Parameter(oid: 23, bytes: [1, 2, 3, 4]))
        #expect(Int(-2).parameter.bytes == [255, 255, 255, 255, 255, 255, 255, 254])
        #expect(1.0.parameter.bytes == [0x3F, 0xF0, 0, 0, 0, 0, 0, 0])
    }

    @Test func everyScalarComesBack() throws {
        #expect(try roundTrip(Int16.min) == .min)
        #expect(try roundTrip(Int32.max) == .max)
        #expect(try roundTrip(Int64.min) == .min)
        #expect(try roundTrip(Float.pi) == .pi)
        #expect(try roundTrip(-Double.infinity) == -.infinity)
        #expect(try roundTrip(Double.nan).isNaN)
        #expect(try roundTrip("Straße 🚲") == "Straße 🚲")
        #expect(try roundTrip(JSONB("{\"a\": 1}")) == JSONB("{\"a\": 1}"))
        #expect(try roundTrip([UInt8]([0, 1, 255])) == [0, 1, 255])
        let uuid = UUID()
        #expect(try roundTrip(uuid) == uuid)
        #expect(try roundTrip(Optional<Int32>.none) == nil)
        #expect(try roundTrip(Optional(Int32(7))) == 7)
    }

    @Test func timestampsCountFrom2000() throws {
        #expect(Timestamp(microseconds: 946_684_800_000_001).parameter.bytes == [0, 0, 0, 0, 0, 0, 0, 1])
        for microseconds in [Int64.min, .max, 0, -1, 946_684_800_000_000, 253_402_300_799_999_999] {
            #expect(try roundTrip(Timestamp(microseconds: microseconds)).microseconds == microseconds)
        }
        #expect(Timestamp(microseconds: -1).milliseconds == -1)
        #expect(Timestamp(microseconds: 1_999).milliseconds == 1)
        #expect(Timestamp(microseconds: .max).adding(seconds: 1).microseconds == .max)
        #expect(Timestamp(microseconds: 0).adding(.milliseconds(1_500)).microseconds == 1_500_000)
    }

    @Test func integersWidenButNeverWrap() throws {
        #expect(try decode([0, 7], 21, as: Int64.self) == 7)
        #expect(try decode([255, 255, 255, 255], 26, as: Int64.self) == 4_294_967_295)
        #expect(throws: PostgresError.self) { try decode([0, 0, 0, 1, 0, 0, 0, 0], 20, as: Int32.self) }
        #expect(throws: PostgresError.self) { try decode([0, 0, 0], 23, as: Int32.self) }
        #expect(throws: PostgresError.self) { try decode([0, 0, 0, 1], 25, as: Int32.self) }
    }

    @Test func arraysHaveTheServersLayout() {
        let expected: [UInt8] = [
            0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 23, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 5, 0, 0, 0, 4, 255, 255,
            255,
            255,
        ]
        #expect([Int32(5), -1].parameter == Parameter(oid: 1007, bytes: expected))
        #expect([Int32]().parameter.bytes?.count == 12)
    }

    @Test func arraysComeBack() throws {
        #expect(try roundTrip([Int16]([1, -2, .max])) == [1, -2, .max])
        #expect(try roundTrip([Int64]()) == [])
        #expect(try roundTrip((0..<1_000).map(Double.init)) == (0..<1_000).map(Double.init))
        #expect(try roundTrip([true, false]) == [true, false])
        #expect(try roundTrip(["", "a\"b", "ü"]) == ["", "a\"b", "ü"])
        #expect(try roundTrip([[UInt8]]([[], [1, 2]])) == [[], [1, 2]])
        #expect(try roundTrip([Int64?]([1, nil, 3])) == [1, nil, 3])
        #expect(try roundTrip([String?]([nil, "x"])) == [nil, "x"])
        #expect(try roundTrip([Timestamp(microseconds: 5)]) == [Timestamp(microseconds: 5)])
    }

    @Test func arraysConvertAndRefuseLikeTheirElements() throws {
        let narrow = [Int32]([1, 2]).bytes
        #expect(try decode(narrow, 1007, as: [Int64].self) == [1, 2])
        let withNull = [Int64?]([1, nil]).bytes
        #expect(throws: PostgresError.self) { try decode(withNull, 1016, as: [Int64].self) }
    }

    @Test(arguments: [0, 4, 8, 11, 15, 19, 23, 27]) func cutArraysAreRefused(length: Int) throws {
        let whole = [Int32]([1, 2]).bytes
        #expect(throws: PostgresError.self) { try decode(Array(whole.prefix(length)), 1007, as: [Int32].self) }
    }

    @Test func aCountBeyondTheBytesIsRefused() throws {
        var bytes = [Int32]([1]).bytes
        bytes.putBigEndian(Int32.max, at: 12)
        #expect(throws: PostgresError.self) { try decode(bytes, 1007, as: [Int32].self) }
        bytes.putBigEndian(Int32(-1), at: 12)
        #expect(throws: PostgresError.self) { try decode(bytes, 1007, as: [Int32].self) }
    }

    @Test func enumsAreTheirRawValues() throws {
        enum Color: String, PostgresEncodable, PostgresDecodable, PostgresArrayElement { case red, green }
        #expect(Color.red.parameter == "red".parameter)
        #expect(try roundTrip([Color.green, .red]) == [.green, .red])
        #expect(throws: PostgresError.self) { try decode(Array("blue".utf8), 25, as: Color.self) }
    }
}

extension PostgresEncodable {
    fileprivate var bytes: [UInt8] { parameter.bytes ?? [] }
}
