import Postgres

/// Integers that lie close together, in as few whole bytes each as the widest needs above the smallest: how a chunk keeps its steps,
/// and its values where they are decimals. SQL reads them by `packed_integer` and `packed_number`.
///
/// Big-endian: width in bytes (0, 1, 2, 3, 4 or 8), decimal digits after the point, count (4 bytes), smallest (8 bytes), and then what
/// each has above the smallest. With a width of 8 the smallest is 0, with 0 all are equal.
package struct PackedIntegers: Sendable, Equatable {
    static let headerBytes = 14
    /// 10^15 is the largest power by which every double that it makes an integer stays exact.
    static let maxScale = 15

    package let numbers: [Int64]
    /// The numbers stand for themselves divided by 10 to this.
    package let scale: Int

    package init(_ numbers: [Int64], scale: Int = 0) {
        self.numbers = numbers
        self.scale = scale
    }
}

// MARK: - Bytes

extension PackedIntegers {
    package var bytes: [UInt8] {
        let (least, most) = (numbers.min() ?? 0, numbers.max() ?? 0)
        let width = Self.width(of: UInt64(bitPattern: most &- least))
        let base = width == 8 ? 0 : least
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.headerBytes + numbers.count * width)
        bytes += [UInt8(width), UInt8(scale)]
        Self.append(UInt64(numbers.count), width: 4, to: &bytes)
        Self.append(UInt64(bitPattern: base), width: 8, to: &bytes)
        guard width > 0 else { return bytes }
        for number in numbers { Self.append(UInt64(bitPattern: number &- base), width: width, to: &bytes) }
        return bytes
    }

    /// - Throws: `PostgresError` of kind `decoding` for bytes that ``bytes`` never makes.
    package init(bytes: [UInt8]) throws {
        guard bytes.count >= Self.headerBytes, [0, 1, 2, 3, 4, 8].contains(bytes[0]), bytes[1] <= Self.maxScale else {
            throw Self.damaged
        }
        let width = Int(bytes[0])
        let count = Int(Self.read(bytes, at: 2, width: 4))
        let base = Int64(bitPattern: Self.read(bytes, at: 6, width: 8))
        // All equal, a count alone would make memory of fourteen bytes.
        guard bytes.count == Self.headerBytes + count * width, count <= 1 << 20 else { throw Self.damaged }
        scale = Int(bytes[1])
        numbers = bytes.withUnsafeBufferPointer { bytes in
            [Int64](unsafeUninitializedCapacity: count) { numbers, initialized in
                for index in 0..<count {
                    let above = Self.read(bytes, at: Self.headerBytes + index * width, width: width)
                    numbers.initializeElement(at: index, to: base &+ Int64(bitPattern: above))
                }
                initialized = count
            }
        }
    }

    private static var damaged: PostgresError { PostgresError(kind: .decoding, message: "packed integers are damaged") }

    private static func width(of range: UInt64) -> Int {
        switch range {
        case 0: 0
        case ...0xFF: 1
        case ...0xFFFF: 2
        case ...0xFF_FFFF: 3
        case ...0xFFFF_FFFF: 4
        default: 8
        }
    }

    private static func append(_ number: UInt64, width: Int, to bytes: inout [UInt8]) {
        for place in (0..<width).reversed() { bytes.append(UInt8(truncatingIfNeeded: number >> (8 * place))) }
    }

    @inline(__always)
    private static func read(_ bytes: some RandomAccessCollection<UInt8>, at start: Int, width: Int) -> UInt64 {
        let start = bytes.index(bytes.startIndex, offsetBy: start)
        var number: UInt64 = 0
        for place in 0..<width { number = number << 8 | UInt64(bytes[bytes.index(start, offsetBy: place)]) }
        return number
    }
}

// MARK: - Decimals

extension PackedIntegers {
    /// Values that are decimals of few digits, as most of what is measured is: 21.43 is 2143 of scale 2. Nil for others, and
    /// where it would not be shorter.
    package init?(decimals values: [Double]) {
        var scale = 0
        for value in values {
            while Self.integer(value, scale) == nil {
                guard scale < Self.maxScale else { return nil }
                scale += 1
            }
        }
        // With more digits than it needs a large value may not be exact any more.
        let numbers = values.compactMap { Self.integer($0, scale) }
        guard numbers.count == values.count, let least = numbers.min(), let most = numbers.max(),
            Self.width(of: UInt64(bitPattern: most &- least)) <= 4
        else { return nil }
        self.init(numbers, scale: scale)
    }

    package var decimals: [Double] {
        guard scale > 0 else { return numbers.map(Double.init) }
        let power = Self.powers[scale]
        return numbers.map { Double($0) / power }
    }

    private static let powers: [Double] = (0...maxScale).map { power in
        (0..<power).reduce(1.0) { value, _ in value * 10 }
    }

    /// The integer that divided by the power of ten is just this double; none for -0, which no integer is.
    private static func integer(_ value: Double, _ scale: Int) -> Int64? {
        let scaled = (value * powers[scale]).rounded()
        guard abs(scaled) <= 0x1p53 else { return nil }
        let integer = Int64(scaled)
        return (Double(integer) / powers[scale]).bitPattern == value.bitPattern ? integer : nil
    }
}
