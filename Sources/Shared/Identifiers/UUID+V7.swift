import Foundation
import Postgres
import Synchronization

extension UUID {
    /// A new UUIDv7 (RFC 9562 §5.7), greater than every one this process made before: the 12 bits after the
    /// milliseconds count within one millisecond (§6.2, method 1), so that ids in order of creation fill an index from
    /// its right edge.
    package static func v7() -> UUID {
        let milliseconds = UInt64(clamping: Timestamp.now().milliseconds)
        let (time, count) = v7Clock.withLock { $0.tick(milliseconds, seed: .random(in: 0 ... .max)) }
        let high = time << 16 | 0x7000 | UInt64(count)
        let low = UInt64.random(in: 0 ... .max) & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        return UUID(high: high, low: low)
    }

    /// The form that clients see: 36 characters, lowercase.
    package var lowercaseString: String {
        let digits: StaticString = "0123456789abcdef"
        return withUnsafeBytes(of: uuid) { bytes in
            String(unsafeUninitializedCapacity: 36) { text in
                var end = 0
                for (index, byte) in bytes.enumerated() {
                    if (4...10).contains(index), index.isMultiple(of: 2) {
                        text[end] = UInt8(ascii: "-")
                        end += 1
                    }
                    text[end] = digits.utf8Start[Int(byte >> 4)]
                    text[end + 1] = digits.utf8Start[Int(byte & 15)]
                    end += 2
                }
                return end
            }
        }
    }

    init(high: UInt64, low: UInt64) {
        func byte(_ word: UInt64, _ index: UInt64) -> UInt8 { UInt8(truncatingIfNeeded: word >> (56 - 8 * index)) }
        self.init(
            uuid: (
                byte(high, 0), byte(high, 1), byte(high, 2), byte(high, 3), byte(high, 4), byte(high, 5), byte(high, 6),
                byte(high, 7), byte(low, 0), byte(low, 1), byte(low, 2), byte(low, 3), byte(low, 4), byte(low, 5),
                byte(low, 6), byte(low, 7)
            ))
    }
}

private let v7Clock = Mutex(UUIDv7Clock())

/// The time and counter of the last UUIDv7.
struct UUIDv7Clock {
    private var milliseconds: UInt64 = 0
    private var count: UInt16 = 0

    /// - Parameters:
    ///   - now: milliseconds since the Unix epoch; a clock that stepped back is ignored.
    ///   - seed: random; 11 bits of it start a millisecond's count, which leaves at least 2,048 steps.
    /// - Returns: milliseconds (48 bits) and count (12 bits). A full count borrows the next millisecond.
    mutating func tick(_ now: UInt64, seed: @autoclosure () -> UInt16) -> (milliseconds: UInt64, count: UInt16) {
        if now > milliseconds {
            milliseconds = now
            count = seed() & 0x7FF
        } else if count < 0xFFF {
            count += 1
        } else {
            milliseconds += 1
            count = seed() & 0x7FF
        }
        return (milliseconds & 0xFFFF_FFFF_FFFF, count)
    }
}
