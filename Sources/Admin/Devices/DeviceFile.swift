import Shared

/// A file of devices, read and checked as far as that goes without the database.
struct DeviceFile {
    /// A device as a line tells it.
    struct Line: Sendable, Equatable {
        let number: Int
        let deviceEUI: DeviceEUI
        let name: String?
        let profile: String?
        let site: String?
        let space: String?
    }

    struct Bad: Sendable, Equatable {
        let number: Int
        let deviceEUI: String
        let reason: String
    }

    enum Column: String, CaseIterable, Sendable {
        case deviceEUI = "device_eui"
        case name, profile, site, space
    }

    /// Those that the file has: the others are left as they are in the database.
    let columns: Set<Column>
    let lines: [Line]
    let bad: [Bad]

    init(columns: Set<Column>, lines: [Line], bad: [Bad]) {
        self.columns = columns
        self.lines = lines
        self.bad = bad
    }

    /// - Throws: `Refusal` when the header can't be read.
    init(_ bytes: [UInt8]) throws {
        let records = CSV.read(bytes)
        guard let first = records.first else { throw Refusal(.data, "the file is empty") }
        let header = try Self.header(first)
        columns = Set(header)
        var lines: [Line] = []
        var bad: [Bad] = []
        var seen: [DeviceEUI: Int] = [:]
        for record in records.dropFirst() {
            switch Self.line(record, header) {
            case .failure(let fault): bad.append(fault.bad)
            case .success(let line):
                if let earlier = seen.updateValue(line.number, forKey: line.deviceEUI) {
                    seen[line.deviceEUI] = earlier
                    let reason = "the device is in line \(earlier) already"
                    bad.append(Bad(number: line.number, deviceEUI: line.deviceEUI.rawValue, reason: reason))
                } else {
                    lines.append(line)
                }
            }
        }
        self.lines = lines
        self.bad = bad
    }

    private struct LineFault: Error {
        let bad: Bad
    }

    private static func header(_ record: Result<CSV.Record, CSV.Fault>) throws -> [Column] {
        guard case .success(let record) = record else { throw Refusal(.data, "the header can't be read") }
        let names = record.fields.map { $0.trimmingSpaces.lowercased() }
        let header = try names.map { name in
            guard let column = Column(rawValue: name) else {
                let known = Column.allCases.map(\.rawValue).joined(separator: ", ")
                throw Refusal(.data, "the header names a column \(name); known are \(known)")
            }
            return column
        }
        guard Set(header).count == header.count else { throw Refusal(.data, "the header names a column twice") }
        guard header.contains(.deviceEUI) else { throw Refusal(.data, "the header names no column device_eui") }
        return header
    }

    private static func line(_ record: Result<CSV.Record, CSV.Fault>, _ header: [Column]) -> Result<Line, LineFault> {
        let fields: [Column: String]
        let number: Int
        switch record {
        case .failure(let fault):
            return .failure(LineFault(bad: Bad(number: fault.line, deviceEUI: "", reason: fault.reason)))
        case .success(let record):
            number = record.line
            guard record.fields.count == header.count else {
                let reason = "\(record.fields.count) fields where the header has \(header.count)"
                return .failure(LineFault(bad: Bad(number: number, deviceEUI: "", reason: reason)))
            }
            let filled = zip(header, record.fields.map(\.trimmingSpaces)).filter { !$0.1.isEmpty }
            fields = Dictionary(filled, uniquingKeysWith: { first, _ in first })
        }
        func fault(_ reason: String) -> Result<Line, LineFault> {
            .failure(LineFault(bad: Bad(number: number, deviceEUI: fields[.deviceEUI] ?? "", reason: reason)))
        }
        guard let deviceEUI = DeviceEUI(fields[.deviceEUI] ?? "") else {
            return fault("device_eui is not 16 hex digits")
        }
        if let name = fields[.name], name.unicodeScalars.count > 200 {
            return fault("name is longer than 200 characters")
        }
        if let profile = fields[.profile], profile.unicodeScalars.count > 200 {
            return fault("profile is longer than 200 characters")
        }
        for column in [Column.site, .space] {
            if let code = fields[column], Code(code) == nil { return fault("\(column.rawValue) is not a code") }
        }
        if fields[.space] != nil, fields[.site] == nil { return fault("a space needs its site") }
        return .success(
            Line(
                number: number, deviceEUI: deviceEUI, name: fields[.name], profile: fields[.profile],
                site: fields[.site], space: fields[.space]))
    }
}

extension String {
    fileprivate var trimmingSpaces: String {
        let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        return String(drop(while: isSpace).reversed().drop(while: isSpace).reversed())
    }
}
