import Postgres
import Support
import Testing

/// Amounts, exact on all ways.
@Suite struct FixedDecimalTests {
    @Test(
        arguments: [
            ("0", 0), ("-0", 0), ("1", 1_000), ("1.5", 1_500), ("0.001", 1), ("-2.250", -2_250), ("1e3", 1_000_000),
            ("1500e-3", 1_500),
            ("1.20000", 1_200), ("0.0001e1", 1), ("99999999999.999", 99_999_999_999_999), ("00012", 12_000),
            ("0e30", 0), ("1E2", nil),
            ("", nil), ("-", nil), (".", nil), ("1.", nil), (".5", nil), ("+1", nil), ("--1", nil), ("1.0001", nil),
            ("100000000000", nil),
            ("1e12", nil), ("1e-4", nil), ("NaN", nil), ("Infinity", nil), ("1e", nil), ("1e1e1", nil), ("0x10", nil),
            ("1 ", nil),
            ("١", nil), ("1e99999999999999999999", nil), ("1e-9223372036854775808", nil),
            ("1e9223372036854775807", nil), ("1e-31", nil), ("0e-30", 0),
        ] as [(String, Int64?)])
    func readsText(text: String, units: Int64?) {
        #expect(FixedDecimal<ThreePlaces>(text)?.units == units)
    }

    @Test(
        arguments: [
            (0, "0.000", "0"), (1, "0.001", "0.001"), (-1, "-0.001", "-0.001"), (1_500, "1.500", "1.5"),
            (-12_000, "-12.000", "-12"),
            (99_999_999_999_999, "99999999999.999", "99999999999.999"),
        ] as [(Int64, String, String)])
    func writesText(units: Int64, text: String, short: String) {
        let value = FixedDecimal<ThreePlaces>(units: units)
        #expect(value.text == text && value.shortText == short)
        #expect(FixedDecimal<ThreePlaces>(text) == value && FixedDecimal<ThreePlaces>(short) == value)
    }

    @Test func sumsThatNoColumnHoldsAreNone() {
        #expect(FixedDecimal<TwoPlaces>.largest.adding(.init(units: 1)) == nil)
        #expect(FixedDecimal<TwoPlaces>.largest.adding(.init(units: -1))?.units == 99_999_999_999_998)
    }

    /// What PostgreSQL makes of what we send, and we of what it sends.
    @Test func goesToTheServerAndBack() async throws {
        try await MigratedDatabase.withClone { database in
            try await database.asSuperuser { connection in
                var random = SplitMix(state: 11)
                let picked = (0..<200).map { _ in
                    let magnitude = Int64.random(in: 0...14, using: &random)
                    let limit = (0..<magnitude).reduce(Int64(1)) { one, _ in one * 10 }
                    return Int64.random(in: -limit...limit, using: &random)
                }
                for units in [0, 1, -1, 10_000, 9_999, 10_000_000, 99_999_999_999_999, -99_999_999_999_999] + picked {
                    let value = FixedDecimal<ThreePlaces>(
                        units: max(-99_999_999_999_999, min(units, 99_999_999_999_999)))
                    let text: String? = try await connection.first("SELECT \(value)::text")
                    #expect(text == value.text)
                    let back: FixedDecimal<ThreePlaces>? = try await connection.first("SELECT \(value)::numeric(14, 3)")
                    #expect(back == value)
                    let list: [FixedDecimal<ThreePlaces>]? = try await connection.first(
                        "SELECT \([value, -value])::numeric[]")
                    #expect(list == [value, -value])
                }
                let tooFine: Statement<FixedDecimal<TwoPlaces>> = "SELECT 0.001::numeric"
                await #expect(throws: PostgresError.self) { _ = try await connection.first(tooFine) }
            }
        }
    }
}
