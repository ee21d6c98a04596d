import Foundation

/// What makes a series: its metric and its labels, whatever order they were sent in.
///
/// Its canonical bytes are `metric`, then for each label by ascending key bytes NUL, key, NUL, value. No part can
/// hold a NUL, so two series never share their bytes.
struct SeriesIdentity: Hashable, Sendable {
    struct Label: Hashable, Sendable {
        var key: String
        var value: String
    }

    let metric: String
    /// Ascending by the bytes of the key.
    let labels: [Label]

    /// - Precondition: keys differ, and nothing holds U+0000.
    init(metric: String, labels: [Label] = []) {
        self.metric = metric
        self.labels = labels.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    }

    /// Takes bytes that `MetricBatchParser` or `canonicalBytes` made.
    init(canonicalBytes: UnsafeRawBufferPointer) {
        let parts = canonicalBytes.split(separator: 0, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        metric = parts[0]
        labels = stride(from: 1, to: parts.count - 1, by: 2).map { Label(key: parts[$0], value: parts[$0 + 1]) }
    }

    var canonicalBytes: [UInt8] {
        var bytes = Array(metric.utf8)
        for label in labels {
            bytes.append(0)
            bytes.append(contentsOf: label.key.utf8)
            bytes.append(0)
            bytes.append(contentsOf: label.value.utf8)
        }
        return bytes
    }

    /// The labels as a JSON object, for `series.labels`.
    var labelsJSON: String {
        var json: [UInt8] = []
        json.append(UInt8(ascii: "{"))
        for (at, label) in labels.enumerated() {
            if at > 0 { json.append(UInt8(ascii: ",")) }
            CanonicalJSON.append(string: label.key.utf8, to: &json)
            json.append(UInt8(ascii: ":"))
            CanonicalJSON.append(string: label.value.utf8, to: &json)
        }
        json.append(UInt8(ascii: "}"))
        return String(decoding: json, as: UTF8.self)
    }

    /// The form that is kept: the same in every process and for ever. First 16 bytes of SHA-256 over `canonicalBytes`.
    var digest: UUID { canonicalBytes.withUnsafeBytes { Self.digest(canonicalBytes: $0) } }

    static func digest(canonicalBytes: UnsafeRawBufferPointer) -> UUID {
        var digest = ContentDigest()
        digest.update(canonicalBytes)
        return digest.finish()
    }
}
