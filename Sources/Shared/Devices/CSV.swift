/// Reads RFC 4180: commas, quotes that may hold commas, quotes and line ends, CRLF, LF or CR. A byte order mark is passed over.
package struct CSV {
    package struct Record: Equatable {
        /// Where the record begins, from 1.
        package let line: Int
        package let fields: [String]
    }

    package struct Fault: Error, Equatable {
        package let line: Int
        package let reason: String
    }

    /// Bounds on what a stranger sends.
    package struct Limits: Sendable {
        package var records = 50_001
        package var fields = 32
        /// Bytes.
        package var field = 128 << 10

        package init() {}
    }

    private var bytes: ArraySlice<UInt8>
    private var line = 1
    private let limits: Limits

    /// Every record or, where one can't be read, why; what follows a closed record is read on. Empty lines are none. No more records than
    /// the limits say.
    package static func read(_ bytes: [UInt8], _ limits: Limits = .init()) -> [Result<Record, Fault>] {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        var reader = CSV(bytes: bytes.starts(with: mark) ? bytes.dropFirst(3) : bytes[...], limits)
        var records: [Result<Record, Fault>] = []
        while records.count < limits.records, let record = reader.next() { records.append(record) }
        return records
    }

    private init(bytes: ArraySlice<UInt8>, _ limits: Limits) {
        (self.bytes, self.limits) = (bytes, limits)
    }

    private mutating func next() -> Result<Record, Fault>? {
        while skipLineEnd() {}
        guard !bytes.isEmpty else { return nil }
        let start = line
        var fields: [String] = []
        while true {
            do throws(Fault) {
                guard fields.count < limits.fields else {
                    throw Fault(line: start, reason: "more than \(limits.fields) fields")
                }
                fields.append(try field())
            } catch {
                skipLine()
                return .failure(Fault(line: start, reason: error.reason))
            }
            guard bytes.first == UInt8(ascii: ",") else { break }
            bytes.removeFirst()
        }
        _ = skipLineEnd()
        return .success(Record(line: start, fields: fields))
    }

    private mutating func field() throws(Fault) -> String {
        let content: [UInt8]
        if bytes.first == UInt8(ascii: "\"") {
            content = try quoted()
        } else {
            let end = bytes.firstIndex { Self.endsField($0) } ?? bytes.endIndex
            content = Array(bytes[..<end])
            bytes = bytes[end...]
            if content.contains(UInt8(ascii: "\"")) {
                throw Fault(line: line, reason: "a quote inside a field that does not begin with one")
            }
        }
        guard content.count <= limits.field else {
            throw Fault(line: line, reason: "a field of more than \(limits.field) bytes")
        }
        guard let text = String(validating: content, as: UTF8.self) else {
            throw Fault(line: line, reason: "not UTF-8")
        }
        guard !content.contains(0) else { throw Fault(line: line, reason: "a NUL character") }
        return text
    }

    private mutating func quoted() throws(Fault) -> [UInt8] {
        let quote = UInt8(ascii: "\"")
        var content: [UInt8] = []
        bytes.removeFirst()
        while let byte = bytes.popFirst() {
            if byte != quote {
                // A CR before an LF is of the same line end.
                if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") && bytes.first != UInt8(ascii: "\n") {
                    line += 1
                }
                content.append(byte)
            } else if bytes.first == quote {
                bytes.removeFirst()
                content.append(quote)
            } else if let after = bytes.first, !Self.endsField(after) {
                throw Fault(line: line, reason: "something after a closing quote")
            } else {
                return content
            }
        }
        throw Fault(line: line, reason: "a quote that is never closed")
    }

    private static func endsField(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ",") || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
    }

    private mutating func skipLine() {
        bytes = bytes.drop { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
        _ = skipLineEnd()
    }

    /// - Returns: whether there was one.
    private mutating func skipLineEnd() -> Bool {
        switch bytes.first {
        case UInt8(ascii: "\n"): bytes.removeFirst()
        case UInt8(ascii: "\r"):
            bytes.removeFirst()
            if bytes.first == UInt8(ascii: "\n") { bytes.removeFirst() }
        default: return false
        }
        line += 1
        return true
    }
}
