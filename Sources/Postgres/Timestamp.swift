import Glibc

/// A point in time as PostgreSQL's `timestamptz` holds it: whole microseconds, UTC.
package struct Timestamp: Hashable, Comparable, Sendable {
    /// Microseconds since 1970-01-01T00:00:00Z. `Int64.max` and `Int64.min` stand for `infinity` and `-infinity`.
    package var microseconds: Int64

    package init(microseconds: Int64) {
        self.microseconds = microseconds
    }

    /// Saturates where the product would overflow.
    package init(milliseconds: Int64) {
        self.init(
            microseconds: Self.clamp(milliseconds.multipliedReportingOverflow(by: 1_000), positive: milliseconds > 0))
    }

    package init(secondsSinceEpoch seconds: Int64) {
        self.init(microseconds: Self.clamp(seconds.multipliedReportingOverflow(by: 1_000_000), positive: seconds > 0))
    }

    /// The system clock, which may step; measure intervals with `ContinuousClock`.
    package static func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
    }

    /// Whole milliseconds since the Unix epoch, rounded down.
    package var milliseconds: Int64 { floored(by: 1_000) }

    /// Whole seconds since the Unix epoch, rounded down.
    package var seconds: Int64 { floored(by: 1_000_000) }

    package static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.microseconds < right.microseconds
    }

    /// Saturates instead of overflowing.
    package func adding(microseconds delta: Int64) -> Timestamp {
        Timestamp(microseconds: Self.clamp(microseconds.addingReportingOverflow(delta), positive: delta > 0))
    }

    package func adding(milliseconds delta: some BinaryInteger) -> Timestamp {
        adding(microseconds: Timestamp(milliseconds: Int64(clamping: delta)).microseconds)
    }

    package func adding(seconds delta: some BinaryInteger) -> Timestamp {
        adding(microseconds: Timestamp(secondsSinceEpoch: Int64(clamping: delta)).microseconds)
    }

    package func adding(_ duration: Duration) -> Timestamp {
        let (seconds, attoseconds) = duration.components
        return adding(seconds: seconds).adding(microseconds: attoseconds / 1_000_000_000_000)
    }

    /// Microseconds from `other` to this point, negative if `other` is later. Saturates.
    package func microseconds(since other: Timestamp) -> Int64 {
        Self.clamp(
            microseconds.subtractingReportingOverflow(other.microseconds), positive: microseconds > other.microseconds)
    }

    private func floored(by unit: Int64) -> Int64 {
        let (quotient, remainder) = microseconds.quotientAndRemainder(dividingBy: unit)
        return remainder < 0 ? quotient - 1 : quotient
    }

    private static func clamp(_ result: (partialValue: Int64, overflow: Bool), positive: Bool) -> Int64 {
        guard result.overflow else { return result.partialValue }
        return positive ? .max : .min
    }
}

extension Timestamp: FixedWidthValue {
    /// PostgreSQL counts from 2000-01-01T00:00:00Z.
    private static let epochOffset: Int64 = 946_684_800_000_000

    package static var oid: UInt32 { TypeOID.timestamptz }
    package static var arrayOID: UInt32 { 1185 }

    var wireBits: Int64 {
        switch microseconds {
        case .max, .min: microseconds
        default: Self.clamp(microseconds.subtractingReportingOverflow(Self.epochOffset), positive: false)
        }
    }

    init(wireBits: Int64) {
        switch wireBits {
        case .max, .min: self.init(microseconds: wireBits)
        default:
            self.init(
                microseconds: Self.clamp(wireBits.addingReportingOverflow(Self.epochOffset), positive: true))
        }
    }

    /// `timestamp` without time zone is read as UTC.
    package static func decode(_ bytes: UnsafeRawBufferPointer, oid: UInt32) throws -> Timestamp {
        guard oid == TypeOID.timestamptz || oid == TypeOID.timestamp else {
            throw PostgresError.decoding("type \(oid) is not a timestamp")
        }
        return Timestamp(wireBits: try bytes.bigEndian(as: Int64.self))
    }
}
