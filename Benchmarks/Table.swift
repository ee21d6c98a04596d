import Foundation

/// The figures as a Markdown table.
struct Table {
    private var rows: [[String]] = []

    mutating func add(
        _ what: String, perSecond: Double, unit: String, against peer: Double? = nil, _ peerName: String = "",
        _ run: Load.Run? = nil
    ) {
        rows.append([
            what, Self.rounded(perSecond) + " " + unit,
            peer.map { String(format: "%.2f × %@", perSecond / $0, peerName) } ?? "",
            run?.p50 ?? "", run?.p99 ?? "", run.map { "\($0.memory) MiB" } ?? "", run.map { "\($0.failures)" } ?? "",
        ])
    }

    var text: String {
        let header = ["what", "a second", "ratio", "p50", "p99", "ingest memory", "not 2xx"]
        return ([header, header.map { _ in "---" }] + rows).map { "| " + $0.joined(separator: " | ") + " |" }
            .joined(separator: "\n")
    }

    private static func rounded(_ value: Double) -> String {
        value >= 1e6 ? String(format: "%.2f M", value / 1e6) : String(format: "%.1f k", value / 1e3)
    }
}
