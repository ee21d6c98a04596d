/// Names of the statements prepared on one connection, the least recently used forgotten first. Pure bookkeeping:
/// whoever uses it prepares and deallocates.
struct StatementCache {
    struct Entry: Hashable {
        let name: String
        let types: [UInt32]
    }

    private struct Slot {
        let entry: Entry
        var lastUse: UInt64
    }

    let capacity: Int
    /// SQL text → its variants by parameter types, nearly always one.
    private var slots: [String: [Slot]] = [:]
    private var clock: UInt64 = 0
    private(set) var count = 0
    /// Names the server still holds, to be deallocated when the connection is outside a transaction.
    private var evicted: [String] = []
    /// Long pipelines repeat one statement; comparing strings that share storage costs nothing, hashing them does.
    private var latest: (sql: String, entry: Entry)?

    init(capacity: Int) {
        self.capacity = max(1, capacity)
    }

    mutating func find(_ statement: AnyStatement) -> Entry? {
        if let latest, latest.sql == statement.sql, Self.matches(latest.entry, statement) { return latest.entry }
        guard let index = slots[statement.sql]?.firstIndex(where: { Self.matches($0.entry, statement) }) else {
            return nil
        }
        clock += 1
        slots[statement.sql]?[index].lastUse = clock
        guard let entry = slots[statement.sql]?[index].entry else { return nil }
        latest = (statement.sql, entry)
        return entry
    }

    mutating func insert(_ statement: AnyStatement) -> Entry {
        while count >= capacity { evictOldest() }
        clock += 1
        let entry = Entry(name: "s\(clock)", types: statement.parameters.map(\.oid))
        slots[statement.sql, default: []].append(Slot(entry: entry, lastUse: clock))
        count += 1
        latest = (statement.sql, entry)
        return entry
    }

    /// For statements whose preparation failed or never ran, or that the server declared stale.
    mutating func forget(_ name: String, of sql: String, deallocate: Bool = false) {
        guard let index = slots[sql]?.firstIndex(where: { $0.entry.name == name }) else { return }
        slots[sql]?.remove(at: index)
        if slots[sql]?.isEmpty == true { slots[sql] = nil }
        if latest?.entry.name == name { latest = nil }
        if deallocate { evicted.append(name) }
        count -= 1
    }

    mutating func takeEvicted() -> [String] {
        guard !evicted.isEmpty else { return [] }
        defer { evicted = [] }
        return evicted
    }

    private mutating func evictOldest() {
        let oldest = slots.lazy.flatMap { sql, slots in slots.map { (sql, $0) } }.min { $0.1.lastUse < $1.1.lastUse }
        guard let (sql, slot) = oldest else { return }
        forget(slot.entry.name, of: sql, deallocate: true)
    }

    private static func matches(_ entry: Entry, _ statement: AnyStatement) -> Bool {
        guard entry.types.count == statement.parameters.count else { return false }
        return zip(entry.types, statement.parameters).allSatisfy { $0 == $1.oid }
    }
}
