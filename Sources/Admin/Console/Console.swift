import Foundation

/// Where a command's results go: results to stdout, everything else to stderr.
enum Console {
    static func show(_ text: String) {
        FileHandle.standardOutput.write(Data((text + "\n").utf8))
    }

    static func complain(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }

    /// One document, keys as the type's coding keys write them.
    static func showJSON(_ value: some Encodable) throws {
        show(String(decoding: try JSON.encoder.encode(value), as: UTF8.self))
    }

    /// Columns as wide as their widest cell.
    static func showTable(_ header: [String], _ rows: [[String]]) {
        show(table(header, rows))
    }

    static func table(_ header: [String], _ rows: [[String]]) -> String {
        let all = [header] + rows
        let widths = header.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { row in
            let cells = zip(row, widths).map { cell, width in
                cell + String(repeating: " ", count: width - cell.count)
            }
            let line = cells.joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed())
        }.joined(separator: "\n")
    }
}

/// How this tool writes and reads JSON.
enum JSON {
    static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return encoder
    }
}
