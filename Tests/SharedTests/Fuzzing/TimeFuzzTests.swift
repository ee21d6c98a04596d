import Foundation
import Postgres
import Support
import Testing

@testable import Shared

struct TimeFuzzTests {
    private static let corpus = [
        "2026-11-20T10:00:00.123Z", "1970-01-01T00:00:00Z", "1969-12-31t23:59:59.999999999z",
        "2024-02-29T00:00:00+23:59",
        "2016-12-31T15:59:60.25-08:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z",
        "1900-03-01T12:30:30-00:00",
        // Nearly good ones.
        "2026-11-20T24:00:00Z", "2026-11-20T23:60:00Z", "2026-02-29T23:59:59Z", "2026-11-20T10:00:60Z",
        "2026-11-20T10:00:00+24:00",
    ]

    /// What is read is what the C library makes of the same digits.
    @Test func rfc3339() throws {
        let pieces =
            (0...9).map(String.init) + [
                "T", "Z", "z", ":", ".", "60", "59", "24", "02-30", "02-29", "2000", "0000", "+00:00",
            ]
        var fuzzer = Fuzzer("RFC 3339", corpus: Self.corpus, mutations: .text(pieces), iterations: 5_000)
        try fuzzer.run { bytes in
            let read = bytes.withUnsafeBufferPointer { Timestamp(rfc3339: $0) }
            try agree(read?.microseconds, Self.reference(String(decoding: bytes, as: UTF8.self)), "time")
            if let read { try agree(Timestamp(rfc3339: read.rfc3339), read, "time written and read") }
            return read != nil
        }
        #expect(fuzzer.hasReached(300))
    }

    @Test func whatIsWrittenIsReadBack() throws {
        var random = SplitMix(state: 3339)
        let range = Timestamp.rfc3339Range.lowerBound.microseconds...Timestamp.rfc3339Range.upperBound.microseconds
        for _ in 0..<5_000 {
            let time = Timestamp(microseconds: .random(in: range, using: &random))
            try #require(Timestamp(rfc3339: time.rfc3339) == time)
        }
    }

    /// In a JSON body of the API: text, or milliseconds to the microsecond, rounded down.
    @Test func json() throws {
        let corpus =
            Self.corpus.map { "\"\($0)\"" } + [
                "1795168800500.25", "0", "-62135596800000", "253402300799999.999", "-0.001",
            ]
        var fuzzer = Fuzzer("time in JSON", corpus: corpus, mutations: .json, iterations: 1_500)
        try fuzzer.run { bytes in
            guard let json = ReferenceJSON(bytes) else { return false }
            let read = try? JSONDecoder().decode(Timestamp.self, from: Data(bytes))
            switch json {
            case .string(let text?): try agree(read?.microseconds, Self.reference(text), "time")
            case .number(let text):
                // Foundation has no double for what is nearly zero.
                if ReferenceNumber(text).double.magnitude < 1e-300 { return false }
                let microseconds = (ReferenceNumber(text).double * 1_000).rounded(.down)
                let isWritable = microseconds >= -62_135_596_800_000_000 && microseconds < 253_402_300_800_000_000
                try agree(read?.microseconds, isWritable ? Int64(microseconds) : nil, "milliseconds")
            default: try holds(read == nil, "neither text nor number")
            }
            return read != nil
        }
        #expect(fuzzer.hasReached(100))
    }

    private static func reference(_ text: String) -> Int64? {
        let form = /(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))/
        guard let found = text.wholeMatch(of: form)?.output, text.utf8.allSatisfy({ $0 < 0x80 }) else { return nil }
        func number(_ text: Substring?) -> Int { text.flatMap { Int($0) } ?? 0 }
        var parts = tm()
        (parts.tm_year, parts.tm_mon, parts.tm_mday) = (
            Int32(number(found.1)) - 1900, Int32(number(found.2)) - 1, Int32(number(found.3))
        )
        (parts.tm_hour, parts.tm_min) = (Int32(number(found.4)), Int32(number(found.5)))
        let (month, day) = (parts.tm_mon, parts.tm_mday)
        let minute = timegm(&parts)
        // timegm takes a 30th of February for the 1st or 2nd of March.
        guard number(found.1) > 0, parts.tm_mon == month, parts.tm_mday == day, number(found.4) < 24,
            number(found.5) < 60,
            number(found.6) <= 60, number(found.9) < 24, number(found.10) < 60
        else { return nil }
        let offset = (found.8 == "-" ? -1 : 1) * (number(found.9) * 60 + number(found.10)) * 60
        let utc = minute - offset
        if number(found.6) == 60, (utc % 86_400 + 86_400) % 86_400 != 86_340 { return nil }
        let fraction = number(((found.7 ?? "") + "000000").prefix(6))
        let microseconds = Int64(utc + number(found.6)) * 1_000_000 + Int64(fraction)
        return Timestamp.rfc3339Range.contains(Timestamp(microseconds: microseconds)) ? microseconds : nil
    }
}
