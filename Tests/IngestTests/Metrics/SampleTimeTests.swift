import Postgres
import Testing

@testable import Ingest

struct SampleTimeTests {
    private func time(_ ts: String) throws -> Int64? {
        try parse(rows: #"{"name":"a","value":1,"ts":\#(ts)}"#).microseconds.first
    }

    @Test(
        arguments: [
            ("1795168740123", 1_795_168_740_123_000), ("1795168740123.0", 1_795_168_740_123_000),
            // A double would make …122 of it.
            ("1795168740000.123", 1_795_168_740_000_123), ("1795168740000.1239999", 1_795_168_740_000_123),
            ("1.79516874e12", 1_795_168_740_000_000), ("17951687400001234e-4", 1_795_168_740_000_123),
            (#""2026-11-20T09:59:00Z""#, 1_795_168_740_000_000),
            (#""2026-11-20T10:59:00+01:00""#, 1_795_168_740_000_000),
        ] as [(String, Int64)])
    func takesEpochMillisecondsAndRFC3339(_ ts: String, _ microseconds: Int64) throws {
        #expect(try time(ts) == microseconds)
    }

    @Test(arguments: [
        (#""yesterday""#, RowRejection.Code.timeInvalid), ("true", .timeInvalid), ("{}", .timeInvalid),
        ("-1", .timeInvalid), ("-1795168740123", .timeInvalid), ("1e400", .timeInvalid), ("1e30", .timeInvalid),
        ("123456789012345678901234567890", .timeInvalid), (#""\u0000""#, .timeInvalid), (#""""#, .timeInvalid),
        // Seconds where milliseconds belong.
        ("1795168740", .timeTooOld), ("0", .timeTooOld), ("1e-400", .timeTooOld),
        (#""1970-01-01T00:00:00Z""#, .timeTooOld), (#""2027-01-01T00:00:00Z""#, .timeTooNew),
        ("1895168740123", .timeTooNew), ("999999999999999", .timeTooNew), ("1000000000000000", .timeInvalid),
    ])
    func rejects(_ ts: String, _ expected: RowRejection.Code) throws {
        #expect(try code(#"{"name":"a","value":1,"ts":\#(ts)}"#) == expected)
    }

    @Test func theWindowIsInclusive() throws {
        for (bound, outside, expected) in [
            (window.oldest, -1, RowRejection.Code.timeTooOld), (window.newest, 1, .timeTooNew),
        ] {
            let milliseconds = bound.microseconds / 1000
            #expect(try code(#"{"name":"a","value":1,"ts":\#(milliseconds)}"#) == nil)
            #expect(try code(#"{"name":"a","value":1,"ts":\#(milliseconds + Int64(outside))}"#) == expected)
        }
    }

    @Test func rowsWithoutTimeGetTheTimeOfArrival() throws {
        let batch = try parse(
            rows: #"{"name":"a","value":1,"ts":1795168740000}"#, #"{"name":"b","value":1}"#,
            #"{"name":"c","value":1,"ts":null}"#)
        #expect(batch.microseconds == [1_795_168_740_000_000, arrival.microseconds, arrival.microseconds])
        #expect(!batch.everyRowHasOwnTime)
    }

    @Test func onlyGoodRowsDecideWhetherAllHaveTheirOwnTime() throws {
        let batch = try parse(
            rows: #"{"name":"a","value":1,"ts":1795168740000}"#, #"{"name":"b","value":"bad"}"#)
        #expect(batch.everyRowHasOwnTime)
    }
}
