import Foundation

/// One measured thing.
struct Row: Sendable {
    var what: String
    /// The figure with its unit.
    var figure = ""
    /// Against whom, and how many times as much.
    var ratio = ""
    /// Milliseconds.
    var p50: Double?
    var p99: Double?
    var durable = ""
    var note = ""
}

extension Row {
    /// A run of the load generator.
    /// - Parameter each: samples of one request; 1 for uplinks.
    init(
        _ what: String, _ report: LoadReport, each: Int = 1, of unit: String = "samples", durable: String = "yes",
        note: String = ""
    ) {
        self.init(
            what: what, figure: "\(Figure.short(report.perSecond * Double(each))) \(unit)/s",
            p50: report.latency.milliseconds(at: 0.5), p99: report.latency.milliseconds(at: 0.99), durable: durable,
            note: note)
    }
}

enum Figure {
    /// Three digits or so: `1.78 M`, `64.2 k`, `912`.
    static func short(_ value: Double) -> String {
        switch value {
        case 1e6...: String(format: "%.2f M", value / 1e6)
        case 1e3...: String(format: "%.1f k", value / 1e3)
        default: String(format: "%.0f", value)
        }
    }

    static func ratio(_ value: Double, _ other: Double, _ name: String) -> String {
        String(format: "%.2f × %@", value / other, name)
    }

    static func mebibytes(_ bytes: Int) -> String { String(format: "%.0f MiB", Double(bytes) / 1_048_576) }
}

/// The rows as a Markdown table.
struct Table {
    private(set) var rows: [Row] = []

    mutating func add(_ rows: [Row]) {
        self.rows += rows
    }

    var text: String {
        let header = ["what", "figure", "ratio", "p50 ms", "p99 ms", "durable when answered", "note"]
        return ([header, header.map { _ in "---" }] + rows.map(\.cells)).map {
            "| " + $0.joined(separator: " | ") + " |"
        }
        .joined(separator: "\n")
    }
}

extension Row {
    fileprivate var cells: [String] {
        [what, figure, ratio, Self.milliseconds(p50), Self.milliseconds(p99), durable, note]
    }

    private static func milliseconds(_ value: Double?) -> String {
        value.map { String(format: $0 < 10 ? "%.2f" : "%.0f", $0) } ?? ""
    }
}
