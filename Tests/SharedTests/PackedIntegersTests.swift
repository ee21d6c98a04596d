import Foundation
import Postgres
import Support
import Testing

@testable import Shared

@Suite struct PackedIntegersTests {
    /// Bytes that the widest takes above the smallest.
    @Test(
        arguments: [
            ([], 0), ([7], 0), ([-3, -3, -3], 0), ([5, 260], 1), ([5, 261], 2), ([-32_768, 32_767], 2),
            ([0, 65_536], 3),
            ([0, 16_777_215], 3), ([0, 16_777_216], 4), ([-1, 4_294_967_294], 4), ([-1, 4_294_967_295], 8),
            ([.min, .max], 8), ([.max, 0, .min, -1], 8),
        ] as [([Int64], Int)])
    func packsIntoTheFewestBytesAndBack(_ numbers: [Int64], width: Int) throws {
        let packed = PackedIntegers(numbers, scale: 3)
        #expect(packed.bytes.count == PackedIntegers.headerBytes + numbers.count * width)
        #expect(try PackedIntegers(bytes: packed.bytes) == packed)
    }

    @Test(arguments: 0..<100) func everyRunComesBack(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        let bits = Int.random(in: 0...63, using: &random)
        let base = Int64(truncatingIfNeeded: random.next())
        let numbers = (0..<Int.random(in: 0...900, using: &random)).map { _ in
            base &+ Int64(random.next() >> (64 - UInt64(max(1, bits))))
        }
        #expect(try PackedIntegers(bytes: PackedIntegers(numbers).bytes).numbers == numbers)
    }

    @Test func damagedBytesAreRefused() {
        let good = PackedIntegers([1, 2, 300], scale: 2).bytes
        var (width, scale, count) = (good, good, PackedIntegers([9, 9]).bytes)
        width[0] = 5
        scale[1] = 16
        count.replaceSubrange(2..<6, with: [0xFF, 0xFF, 0xFF, 0xFF])
        for bytes in [[], Array(good.dropLast()), good + [0], width, scale, count] {
            #expect(throws: PostgresError.self) { try PackedIntegers(bytes: bytes) }
        }
    }

    @Test(
        arguments: [
            ([21.43, 21.5, 22], 2), ([0, 1, 1], 0), ([0.1, 0.25], 2), ([-40, 12.345678], 6), ([1e-15], 15),
            ([1e15, 1e15 + 1], 0),
            ([123_456_789.01, 123_456_790], 2), ([0x1p53], 0),
        ] as [([Double], Int)])
    func decimalsAreIntegersOfTheirScale(_ values: [Double], scale: Int) throws {
        let packed = try #require(PackedIntegers(decimals: values))
        #expect(packed.scale == scale)
        #expect(try PackedIntegers(bytes: packed.bytes).decimals == values)
    }

    /// Thirds, minus zero, more digits than a double has, and what would be no shorter.
    @Test(arguments: [
        [1.0 / 3], [-0.0], [0, -0.0], [.pi, 1], [1e16 + 2], [1e300], [0, 1e10], [.leastNonzeroMagnitude],
    ])
    func otherValuesAreNot(_ values: [Double]) {
        #expect(PackedIntegers(decimals: values) == nil)
    }

    /// What SQL reads is what was packed, to the last bit.
    @Test func sqlReadsTheSame() async throws {
        try await MigratedDatabase.withClone { database in
            var random = SplitMix(state: 11)
            var runs: [[Double]] = [[0], [0x1p53, 0x1p53 - 2], [-1, 4_294_967_294]]
            for _ in 0..<60 {
                let (scale, span) = (Int.random(in: 0...15, using: &random), Int.random(in: 0...32, using: &random))
                let base = Int64.random(in: -1_000_000...1_000_000, using: &random)
                runs.append(
                    (0..<20).map { _ in
                        Double(base + Int64((random.next() >> 32) >> UInt64(32 - span))) / pow(10, Double(scale))
                    })
            }
            let packed = runs.compactMap { PackedIntegers(decimals: $0) }
            #expect(packed.count > 40)
            for one in packed + [PackedIntegers([.min, .max, -1, 0])] {
                let numbers: [Int64] = try await database.asSuperuser {
                    try await $0.all(
                        "SELECT packed_integer(\(one.bytes), n) FROM generate_series(1, \(Int32(one.numbers.count))) n")
                }
                #expect(numbers == one.numbers)
            }
            for one in packed {
                let values: [Double] = try await database.asSuperuser {
                    try await $0.all(
                        "SELECT packed_number(\(one.bytes), n) FROM generate_series(1, \(Int32(one.numbers.count))) n")
                }
                #expect(values.map(\.bitPattern) == one.decimals.map(\.bitPattern))
            }
        }
    }
}
