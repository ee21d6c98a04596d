import Foundation
import Postgres
import Shared
import Testing

struct TimestampTextTests {
    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0),
            ("1969-12-31T23:59:59.999999Z", -1),
            ("2026-11-20T10:00:00.123Z", 1_795_168_800_123_000),
            ("2026-11-20T10:00:00.1234567Z", 1_795_168_800_123_456),
            ("2026-11-20T12:00:00+02:00", 1_795_168_800_000_000),
            ("2026-11-20t04:30:00-05:30", 1_795_168_800_000_000),
            ("2024-02-29T00:00:00z", 1_709_164_800_000_000),
            ("2016-12-31T23:59:60Z", 1_483_228_800_000_000),
            ("2016-12-31T15:59:60.25-08:00", 1_483_228_800_250_000),
            ("0001-01-01T00:00:00Z", -62_135_596_800_000_000),
            ("9999-12-31T23:59:59.999999999Z", 253_402_300_799_999_999),
        ] as [(String, Int64)])
    func readsRFC3339(text: String, microseconds: Int64) {
        #expect(Timestamp(rfc3339: text)?.microseconds == microseconds)
    }

    @Test(arguments: [
        "", "2026", "2026-11-20", "2026-11-20T10:00:00", "2026-11-20 10:00:00Z", "2026-11-20T10:00Z",
        "2026-11-20T10:00:00.Z", "2026-11-20T10:00:00.1234567891Z", "2026-11-20T10:00:00Z ", " 2026-11-20T10:00:00Z",
        "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
        "2026-01-01T12:00:60Z", "2026-01-01T00:00:61Z", "0000-01-01T00:00:00Z", "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00+0100", "2026-01-01T00:00:00+01", "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:30:00-01:00", "+026-01-01T00:00:00Z", "２026-01-01T00:00:00Z",
    ])
    func refusesTheRest(text: String) {
        #expect(Timestamp(rfc3339: text) == nil)
    }

    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (-1, "1969-12-31T23:59:59.999999Z"), (1_000, "1970-01-01T00:00:00.001Z"),
            (500_000, "1970-01-01T00:00:00.500Z"), (1_001, "1970-01-01T00:00:00.001001Z"),
            (951_782_400_000_000, "2000-02-29T00:00:00Z"), (Int64.max, "9999-12-31T23:59:59.999999Z"),
            (Int64.min, "0001-01-01T00:00:00Z"),
        ] as [(Int64, String)])
    func writesTheShortestForm(microseconds: Int64, text: String) {
        #expect(Timestamp(microseconds: microseconds).rfc3339 == text)
    }

    @Test func everyDayComesBack() {
        // A prime step through all of the calendar, checked against Foundation's.
        let formatter = ISO8601DateFormatter()
        for seconds in stride(from: Int64(-62_135_596_800), to: 253_402_300_799, by: 86_399 * 997) {
            let time = Timestamp(secondsSinceEpoch: seconds)
            #expect(Timestamp(rfc3339: time.rfc3339) == time)
            if seconds > -12_000_000_000 { // before 1582 Foundation counts by the Julian calendar
                #expect(time.rfc3339 == formatter.string(from: Date(timeIntervalSince1970: Double(seconds))))
            }
        }
    }

    @Test func jsonTakesTextAndMilliseconds() throws {
        let json = Data(#"["2026-11-20T10:00:00.5Z", 1795168800500, 1795168800500.25]"#.utf8)
        let times = try JSONDecoder().decode([Timestamp].self, from: json)
        #expect(times.map(\.microseconds) == [1_795_168_800_500_000, 1_795_168_800_500_000, 1_795_168_800_500_250])
        #expect(
            String(decoding: try JSONEncoder().encode(Array(times.prefix(1))), as: UTF8.self)
                == #"["2026-11-20T10:00:00.500Z"]"#)
        for wrong in [#"["yesterday"]"#, "[1e300]", "[true]", "[-1e17]"] {
            #expect(throws: DecodingError.self) { try JSONDecoder().decode([Timestamp].self, from: Data(wrong.utf8)) }
        }
    }
}
