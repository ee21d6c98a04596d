import FoundationEssentials
import Postgres
import Testing

/// What the server makes of our bytes, and we of its.
@Suite struct TypeTests {
    func echo<Value: PostgresEncodable & RowDecodable & Equatable>(_ value: Value) async throws -> Value? {
        try await withConnection { try await $0.first("SELECT \(value)" as Statement<Value>) }
    }

    @Test func scalarsRoundTrip() async throws {
        #expect(try await echo(true) == true)
        #expect(try await echo(Int16.min) == .min)
        #expect(try await echo(Int32.min) == .min)
        #expect(try await echo(Int64.max) == .max)
        #expect(try await echo(Float(1.5)) == 1.5)
        #expect(try await echo(Double.leastNonzeroMagnitude) == .leastNonzeroMagnitude)
        #expect(try await echo("naïve ✓") == "naïve ✓")
        #expect(try await echo("") == "")
        #expect(try await echo([UInt8]([0, 255, 10])) == [0, 255, 10])
        #expect(try await echo([UInt8]()) == [])
        #expect(try await echo(JSONB("{\"a\": [1, null]}")) == JSONB("{\"a\": [1, null]}"))
        let uuid = UUID()
        #expect(try await echo(uuid) == uuid)
        let now = Timestamp.now()
        #expect(try await echo(now) == now)
    }

    @Test func nullsRoundTrip() async throws {
        #expect(try await echo(Optional<String>.none) == .some(nil))
        #expect(try await echo(Optional<[Int32]>.none) == .some(nil))
        #expect(try await echo([Int32?]([1, nil])) == [1, nil])
    }

    @Test func arraysRoundTrip() async throws {
        #expect(try await echo([Int16]([1, 2])) == [1, 2])
        #expect(try await echo([Int32]((0..<100_000).map { Int32($0) })) == (0..<100_000).map { Int32($0) })
        #expect(try await echo([Int64]([.min, .max])) == [.min, .max])
        #expect(try await echo([Double]([.infinity, -0.5])) == [.infinity, -0.5])
        #expect(try await echo([String]()) == [])
        #expect(try await echo(["{}", "\"", "NULL", ""]) == ["{}", "\"", "NULL", ""])
        #expect(try await echo([[UInt8]]([[1], []])) == [[1], []])
        let uuids = [UUID(), UUID()]
        #expect(try await echo(uuids) == uuids)
    }

    @Test func theServerReadsWhatWeMean() async throws {
        struct Texts: RowDecodable, Equatable {
            let values: [String]
            init(_ row: Row) throws { values = try [row["a"], row["b"], row["c"], row["d"]] }
        }
        let moment = Timestamp(microseconds: 1_700_000_000_123_456)
        let texts = try await withConnection {
            try await $0.first(
                """
                SELECT \(moment)::text AS a, \([Int64(1), -2])::text AS b, \([UInt8]([0xDE, 0xAD]))::text AS c,
                       \([1.5, .nan])::text AS d
                """ as Statement<Texts>)
        }
        #expect(texts?.values == ["2023-11-14 22:13:20.123456+00", "{1,-2}", "\\xdead", "{1.5,NaN}"])
    }

    @Test func weReadWhatTheServerMeans() async throws {
        typealias Mixed = Columns<Timestamp, Timestamp, String, String, String, String, Int64, Double, String>
        let row = try await withConnection {
            try await $0.first(
                """
                SELECT '1999-12-31 23:59:59.999999+00'::timestamptz, 'infinity'::timestamptz, 'v'::varchar(9),
                       'n'::name, '{"a":1}'::json, 'b2f1c3a0-0000-4000-8000-00000000000A'::uuid, 7::int2, 1.5::float4, '{"b": 2}'::jsonb
                """ as Statement<Mixed>)
        }
        let values = try #require(row).values
        #expect(values.0.microseconds == 946_684_799_999_999)
        #expect(values.1.microseconds == .max)
        #expect((values.2, values.3, values.4) == ("v", "n", "{\"a\":1}"))
        #expect(values.5 == "b2f1c3a0-0000-4000-8000-00000000000a")
        #expect((values.6, values.7, values.8) == (7, 1.5, "{\"b\": 2}"))
    }

    @Test(arguments: [
        "0", "1", "-1", "0.1", "10000", "-12345.6789", "0.00001", "100000000.000", "99999999999999999999.99", "0.00",
        "1e40", "NaN", "-0.00012",
    ])
    func numericsReadAsTheServerPrintsThem(text: String) async throws {
        let pair = try await withConnection {
            try await $0.first("SELECT \(text)::numeric, \(text)::numeric::text" as Statement<Columns<String, String>>)
        }
        let values = try #require(pair).values
        #expect(values.0 == values.1)
    }

    @Test func enumsOfUsersAreText() async throws {
        try await withPool { pool in
            try await pool.single("CREATE TYPE mood AS ENUM ('glad', 'sad')" as Command)
            #expect(try await pool.single("SELECT 'sad'::mood" as Statement<String>) == ["sad"])
        }
    }

    @Test func misfitsNameTheColumn() async throws {
        try await withConnection { connection in
            let null = await postgresError { try await connection.all("SELECT NULL::int4 AS n" as Statement<Int32>) }
            #expect(null?.kind == .decoding)
            #expect(null?.column == "n")
            let missing = await postgresError { try await connection.all("SELECT 1" as Statement<Named>) }
            #expect(missing?.message == "no column missing")
            let one = try await connection.first("SELECT 1" as Statement<Int32>)
            #expect(one == 1)
        }
    }
}

private struct Named: RowDecodable {
    let value: Int32
    init(_ row: Row) throws { value = try row["missing"] }
}
