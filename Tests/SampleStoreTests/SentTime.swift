import Postgres
import Shared
import Support

@testable import Ingest

/// The times that gateways send: in each form that the API takes, and of each kind that chunks are made of.
enum SentTime {
    /// A time in microseconds as epoch milliseconds or as RFC 3339; what is finer than a microsecond is to be cut off.
    static func text(_ ts: Int64, _ random: inout SplitMix) -> String {
        let finer = Bool.random(using: &random) ? "" : "9"
        let fraction = String(1_000 + ts % 1_000).dropFirst()
        switch Int.random(in: 0..<4, using: &random) {
        case 0 where ts % 1_000 == 0: return "\(ts / 1_000)"
        case 0, 1: return "\(ts / 1_000).\(fraction)\(finer)"
        case 2: return "\"\(Timestamp(microseconds: ts).rfc3339)\""
        default:
            // Its offset is an hour, so the clock on the wall shows an hour more.
            let wall = Timestamp(microseconds: ts).adding(seconds: 3_600).rfc3339.dropLast()
            return "\"\(wall)\(ts % 1_000 == 0 ? "" : finer)+01:00\""
        }
    }

    enum Kind: CaseIterable {
        case regular, jittering, fine, dense, atPeriodEnds, apart, farApart, ahead, long
    }

    /// Times of `count` samples, few enough different ones that they meet those of other requests.
    static func run(_ kind: Kind, _ count: Int, near now: Int64, _ random: inout SplitMix) -> [Int64] {
        let period = SampleChunk.period
        let minute: Int64 = 60_000_000
        let anchor = now / minute * minute - Int64.random(in: 0..<4, using: &random) * minute
        func pick(_ range: ClosedRange<Int64>) -> Int64 { Int64.random(in: range, using: &random) }
        let start =
            switch pick(0...5) {
            case 0: anchor - 86_400_000_000 // late by a day
            case 1: anchor - 40 * 86_400_000_000 // backfilled
            default: anchor
            }
        return (0..<Int64(count)).map { n in
            switch kind {
            case .regular: start + n * 10_000_000
            case .long: start - n * 10_000_000
            case .jittering: start + n * 10_000_000 + pick(0...2) * 1_000
            case .fine: start + n * 1_234_567
            case .dense: anchor + pick(-3...3)
            case .atPeriodEnds: now / period * period - pick(0...2) * period + pick(-2...2) * (n % 2 == 0 ? 1 : 1_000)
            // Days within one period: steps that an int4 of microseconds or even of milliseconds can't hold.
            case .apart: (now / period - pick(1...2)) * period + pick(0...3) * 1_000 + pick(0...1) * 29 * 86_400_000_000
            case .farApart: anchor - pick(0...36) * 26 * 86_400_000_000
            case .ahead: anchor + pick(0...9) * minute
            }
        }
    }
}
