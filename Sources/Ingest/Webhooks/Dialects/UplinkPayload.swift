/// A decoded payload: what is stored of it, and what of it becomes samples.
struct UplinkPayload {
    static let maxBytes = 16 << 10
    static let maxDepth = 8

    let json: String
    let leaves: [Uplink.Leaf]
    let leavesDropped: Int

    /// - Parameter node: an object.
    init(_ node: JSONNode) throws(CanonicalJSON.Fault) {
        var collector = LeafCollector()
        let json = try CanonicalJSON.text(of: node, maxBytes: Self.maxBytes, maxDepth: Self.maxDepth) { leaf in
            collector.add(leaf)
        }
        self.json = String(decoding: json, as: UTF8.self)
        leaves = collector.leaves
        leavesDropped = collector.dropped
    }
}

/// Names a payload's leaves: `{"env":{"hum":50},"a":[1]}` has `env.hum` and `a.0`.
///
/// Each character outside the grammar of metric names becomes `_`, and a name that begins with a digit or a sign gets
/// a `_` before it. A leaf under an empty key, or whose name is longer than 128 bytes, has no name. Of two that come
/// to one name the first in canonical order stays.
private struct LeafCollector {
    var leaves: [Uplink.Leaf] = []
    var dropped = 0
    private var names: Set<String> = []

    mutating func add(_ leaf: CanonicalJSON.Leaf) {
        guard leaves.count < Uplink.maxLeaves, let name = Self.name(leaf.path), names.insert(name).inserted else {
            dropped += 1
            return
        }
        leaves.append(Uplink.Leaf(name: name, value: leaf.value))
    }

    private static func name(_ path: [[UInt8]]) -> String? {
        var name: [UInt8] = []
        for part in path {
            guard !part.isEmpty else { return nil }
            if !name.isEmpty { name.append(UInt8(ascii: ".")) }
            for byte in part {
                // One `_` for a character of several bytes: those after its first are 10xxxxxx.
                if byte & 0xC0 == 0x80 { continue }
                name.append(MetricName.isMember(byte) ? byte : UInt8(ascii: "_"))
            }
        }
        if let first = name.first, !MetricName.isLead(first) { name.insert(UInt8(ascii: "_"), at: 0) }
        return name.count <= MetricName.maxBytes ? String(decoding: name, as: UTF8.self) : nil
    }
}
