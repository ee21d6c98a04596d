import Support

/// An endless row of new batches, store after store and instant after instant. Each store's request is made once; before it goes
/// out again, only the digits of its times and values change.
struct SampleRequests: RequestSource {
    private struct Template: Sendable {
        var bytes: [UInt8]
        let values: [Int]
        let times: [Int]
    }

    private let shape: SampleShape
    private var templates: [Template]
    private var limit: Int
    private var position = 0
    private var stamp = Stamp()

    /// - Parameter instants: how many instants of every series there are; none, if they go on for ever.
    init(_ shape: SampleShape, _ format: SampleFormat, instants: Int? = nil) {
        self.shape = shape
        templates = (0..<shape.stores).map { Self.template(of: $0, shape, format) }
        limit = instants.map { $0 / shape.instants * shape.stores } ?? .max
    }

    /// What comes next, up to so many instants more.
    mutating func portion(instants: Int, repeats: Bool = false) -> PreparedRequests {
        let last = limit
        limit = min(last, position + instants / shape.instants * shape.stores)
        defer { limit = last }
        var portion = PreparedRequests(repeats: repeats)
        while withNext({ portion.append($0) }) != nil {}
        return portion
    }

    private static func template(of store: Int, _ shape: SampleShape, _ format: SampleFormat) -> Template {
        let code = shape.storeCode(store)
        let points = (0..<shape.instants).flatMap { _ in
            (0..<shape.seriesEach).map { format.point(code, shape.till($0)) }
        }
        let body = format.opening + points.joined(separator: format.separator) + format.closing
        let bytes = Array("\(format.head(store))Content-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8)
        return Template(
            bytes: bytes, values: runs(of: SampleFormat.value, in: bytes), times: runs(of: SampleFormat.time, in: bytes)
        )
    }

    private static func runs(of mark: String, in bytes: [UInt8]) -> [Int] {
        let mark = Array(mark.utf8)
        return bytes.indices.filter { bytes[$0] == mark[0] && (($0 == 0) || bytes[$0 - 1] != mark[0]) }
            .filter { bytes[$0...].starts(with: mark) }
    }

    mutating func withNext<Value>(_ body: (UnsafeRawBufferPointer) throws -> Value) rethrows -> Value? {
        guard position < limit else { return nil }
        let store = position % shape.stores
        stamp(store, firstInstant: position / shape.stores * shape.instants)
        position += 1
        return try templates[store].bytes.withUnsafeBytes { try body($0) }
    }

    private mutating func stamp(_ store: Int, firstInstant: Int) {
        let (values, times) = (templates[store].values, templates[store].times)
        var stamp = stamp
        let shape = shape
        templates[store].bytes.withUnsafeMutableBytes { bytes in
            for sample in values.indices {
                let time = times[sample]
                if shape.jitter == 0, sample % shape.seriesEach > 0 {
                    bytes.copy(times[sample - 1], to: time, count: 13)
                } else {
                    let instant = shape.origin + Int64(firstInstant + sample / shape.seriesEach) * shape.step
                    bytes.write(instant + stamp.jitter(below: shape.jitter), at: time, digits: 13)
                }
                bytes.write(stamp.nextValue(), at: values[sample])
            }
        }
        self.stamp = stamp
    }
}

/// Where the row of values, and that of jitters, goes on.
private struct Stamp: Sendable {
    /// Values `10.00` … `99.99`, five bytes each in the lower part of a word. Their number is a prime, so that no series sees a
    /// pattern.
    private let pool: [UInt64] = {
        var random = SplitMix(state: 7)
        return (0..<262_147).map { _ in
            let cents = random.next() % 9_000 + 1_000
            let text = "\(cents / 100).\(cents % 100 < 10 ? "0" : "")\(cents % 100)"
            return text.utf8.reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
    }()
    private var position = 0
    private var random = SplitMix(state: 11)

    mutating func nextValue() -> UInt64 {
        position = position + 1 == pool.count ? 0 : position + 1
        return pool[position]
    }

    mutating func jitter(below bound: Int64) -> Int64 {
        bound > 0 ? Int64(random.next() % UInt64(bound)) : 0
    }
}

extension UnsafeMutableRawBufferPointer {
    fileprivate func copy(_ from: Int, to: Int, count: Int) {
        UnsafeMutableRawBufferPointer(rebasing: self[to..<to + count])
            .copyMemory(from: UnsafeRawBufferPointer(rebasing: self[from..<from + count]))
    }

    fileprivate func write(_ number: Int64, at start: Int, digits: Int) {
        var rest = number
        for position in (start..<start + digits).reversed() {
            self[position] = UInt8(truncatingIfNeeded: 48 + rest % 10)
            rest /= 10
        }
    }

    /// The five lower bytes of a word, the lowest first.
    fileprivate func write(_ text: UInt64, at start: Int) {
        for byte in 0..<5 { self[start + byte] = UInt8(truncatingIfNeeded: text >> UInt64(8 * byte)) }
    }
}
