/// Whole requests (head and body) one after another, made beforehand.
protocol RequestSource: Sendable {
    /// Calls `body` with the bytes of the next one; nil when there are no more.
    mutating func withNext<Value>(_ body: (UnsafeRawBufferPointer) throws -> Value) rethrows -> Value?
}

/// Requests that lie in memory as they go out.
struct PreparedRequests: RequestSource {
    private var bytes: [UInt8] = []
    private var ends: [Int] = []
    private var position = 0
    private let repeats: Bool

    /// - Parameter repeats: begins anew after the last one.
    init(repeats: Bool) {
        self.repeats = repeats
    }

    var count: Int { ends.count }

    mutating func append(_ request: some Sequence<UInt8>) {
        bytes.append(contentsOf: request)
        ends.append(bytes.count)
    }

    mutating func withNext<Value>(_ body: (UnsafeRawBufferPointer) throws -> Value) rethrows -> Value? {
        if position == ends.count {
            guard repeats, !ends.isEmpty else { return nil }
            position = 0
        }
        let range = (position == 0 ? 0 : ends[position - 1])..<ends[position]
        position += 1
        return try bytes.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }
}
