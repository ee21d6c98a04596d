import Postgres

/// A file of devices, read and checked as far as that goes without the database.
package struct DeviceFile: Sendable {
    /// A device as a line tells it.
    package struct Line: Sendable, Equatable {
        package let number: Int
        package let deviceEUI: DeviceEUI
        package let name: String?
        package let profile: String?
        package let site: String?
        package let space: String?
        /// A JSON object.
        package let metadata: JSONB?

        package init(
            number: Int, deviceEUI: DeviceEUI, name: String?, profile: String?, site: String?, space: String?,
            metadata: JSONB? = nil
        ) {
            (self.number, self.deviceEUI, self.name) = (number, deviceEUI, name)
            (self.profile, self.site, self.space, self.metadata) = (profile, site, space, metadata)
        }
    }

    package struct Bad: Sendable, Equatable {
        package let number: Int
        package let deviceEUI: String
        package let reason: String
    }

    package enum Column: String, CaseIterable, Sendable {
        case deviceEUI = "device_eui"
        case name, profile, site, space, metadata
    }

    /// Devices of one file.
    package static let maxLines = 50_000

    /// Those that the file has: the others are left as they are in the database.
    package let columns: Set<Column>
    package let lines: [Line]
    package let bad: [Bad]

    package init(columns: Set<Column>, lines: [Line], bad: [Bad]) {
        self.columns = columns
        self.lines = lines
        self.bad = bad
    }

    /// Why a file can't be read at all; for people.
    package struct Unreadable: Error, Equatable {
        package let reason: String
    }

    /// - Throws: `Unreadable` when the header can't be read.
    package init(_ bytes: [UInt8]) throws(Unreadable) {
        var limits = CSV.Limits()
        limits.records = Self.maxLines + 2 // the header, and one that is too many
        let records = CSV.read(bytes, limits)
        guard records.count <= Self.maxLines + 1 else {
            throw Unreadable(reason: "the file has more than \(Self.maxLines) lines")
        }
        guard let first = records.first else { throw Unreadable(reason: "the file is empty") }
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

    private static func header(_ record: Result<CSV.Record, CSV.Fault>) throws(Unreadable) -> [Column] {
        guard case .success(let record) = record else { throw Unreadable(reason: "the header can't be read") }
        let names = record.fields.map { $0.trimmingSpaces.lowercased() }
        var header: [Column] = []
        for name in names {
            guard let column = Column(rawValue: name) else {
                let known = Column.allCases.map(\.rawValue).joined(separator: ", ")
                throw Unreadable(reason: "the header names a column \(name.prefix(40)); known are \(known)")
            }
            header.append(column)
        }
        guard Set(header).count == header.count else { throw Unreadable(reason: "the header names a column twice") }
        guard header.contains(.deviceEUI) else { throw Unreadable(reason: "the header names no column device_eui") }
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
        for column in [Column.name, .profile] {
            guard let text = fields[column], !DisplayName.isValid(text) else { continue }
            let isLong = text.unicodeScalars.count > DisplayName.maxLength
            return fault("\(column.rawValue) \(isLong ? "is longer than 200 characters" : "holds what can't be read")")
        }
        if let metadata = fields[.metadata], !isObject(metadata) { return fault("metadata is not a JSON object") }
        for column in [Column.site, .space] {
            if let code = fields[column], Code(code) == nil { return fault("\(column.rawValue) is not a code") }
        }
        if fields[.space] != nil, fields[.site] == nil { return fault("a space needs its site") }
        return .success(
            Line(
                number: number, deviceEUI: deviceEUI, name: fields[.name], profile: fields[.profile],
                site: fields[.site], space: fields[.space], metadata: fields[.metadata].map { JSONB($0) }))
    }

    /// One that the database takes: of bounded size, and without numbers of a million digits.
    private static func isObject(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return bytes.count <= 65_536 && StrictJSON.members(of: bytes) != nil && !StrictJSON.hasHugeNumber(bytes[...])
    }
}

extension String {
    fileprivate var trimmingSpaces: String {
        // By bytes: to Swift a space with an accent on it is no space.
        let isSpace: (UInt8) -> Bool = { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        return String(decoding: utf8.drop(while: isSpace).reversed().drop(while: isSpace).reversed(), as: UTF8.self)
    }
}
