import Postgres
import Shared

/// Which segments there are and which may be appended to, as a pure state machine: no file is touched here.
struct SpoolState: Sendable {
    struct Limits: Sendable {
        /// Of all segments together.
        var bytes: Int
        /// A segment that has reached it is appended to no more.
        var segmentBytes = 16 << 20
    }

    struct Segment: Hashable, Sendable {
        let name: SpoolSegmentName
        var bytes: Int
        /// 0, like no age, of a segment that a process before left and nobody has looked at.
        var records: Int
        /// When its first record arrived.
        var oldest: Timestamp?
    }

    private let limits: Limits
    /// Oldest first.
    private(set) var segments: [Segment]
    /// The last segment is being appended to.
    private(set) var isOpen = false
    private var lastNumber: UInt64

    /// - Parameter found: what a process before left, which is appended to no more.
    init(limits: Limits, found: [Segment] = []) {
        self.limits = limits
        segments = found.sorted { $0.name < $1.name }
        lastNumber = segments.last?.name.number ?? 0
    }

    var bytes: Int { segments.reduce(0) { $0 + $1.bytes } }
    var records: Int { segments.reduce(0) { $0 + $1.records } }
    var oldest: Timestamp? { segments.lazy.compactMap(\.oldest).first }
    var room: Int { max(0, limits.bytes - bytes) }

    /// The segment to append to: the open one, or a new one.
    mutating func place(marker: UInt64) -> SpoolSegmentName {
        if isOpen, let last = segments.last, last.bytes < limits.segmentBytes { return last.name }
        lastNumber += 1
        let name = SpoolSegmentName(number: lastNumber, marker: marker)
        segments.append(Segment(name: name, bytes: 0, records: 0, oldest: nil))
        isOpen = true
        return name
    }

    /// What stands safely in the open segment now.
    mutating func appended(bytes: Int, records: Int, oldest: Timestamp) {
        guard isOpen, !segments.isEmpty else { return }
        let last = segments.count - 1
        segments[last].bytes += bytes
        segments[last].records += records
        segments[last].oldest = segments[last].oldest ?? oldest
    }

    /// What was found out about a segment that a process before left.
    mutating func learned(_ name: SpoolSegmentName, records: Int, oldest: Timestamp?) {
        guard let index = segments.firstIndex(where: { $0.name == name }) else { return } // drained meanwhile
        (segments[index].records, segments[index].oldest) = (records, oldest)
    }

    /// The open segment is appended to no more: it could not be written, or is wanted for draining.
    mutating func close() {
        isOpen = false
    }

    /// What to drain next. An open segment is closed for it, when it holds something.
    mutating func next() -> Segment? {
        guard let first = segments.first else { return nil }
        if segments.count == 1, isOpen {
            guard first.records > 0 else { return nil }
            close()
        }
        return first
    }

    mutating func remove(_ name: SpoolSegmentName) {
        segments.removeAll { $0.name == name }
    }
}
