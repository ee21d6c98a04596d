import Support
import Testing

@testable import Shared

struct DeviceFileFuzzTests {
    private static let corpus = [
        "device_eui,name\r\n70b3d57ed0000001,Sensor\r\n", "a,\"b,c\",\"say \"\"hi\"\"\"\n\"two\nlines\",,\nx,y,z",
        "\u{FEFF}device_eui,site,space,profile,name\n70-B3-D5-7E-D0-00-00-02, T01 ,P1,Door,\"É 1\"\n\n70b3d57ed0000002,,,,\n",
        "a\rb\r\rc,\"\r\n\"\r\n\"\"",
    ]
    private static let longNames = [200, 201].map {
        "device_eui,name\n70b3d57ed0000001," + String(repeating: "n", count: $0)
    }
    private static let pieces = [
        ",", "\"", "\"\"", "\n", "\r", "\r\n", "\",\"", "\u{FEFF}", "device_eui", "70b3d57ed0000003",
    ]

    /// A record begins where it says, no record is lost or made up, and what is written of the fields is read back.
    @Test func csv() throws {
        var fuzzer = Fuzzer("CSV", corpus: Self.corpus, mutations: .text(Self.pieces), iterations: 3_000)
        try fuzzer.run { bytes in
            let records = CSV.read(bytes)
            let lines = records.map { record in
                switch record {
                case .success(let record): record.line
                case .failure(let fault): fault.line
                }
            }
            try holds(zip(lines, lines.dropFirst()).allSatisfy { $0 < $1 }, "lines \(lines) rise")
            let ends = Self.lineEnds(bytes)
            try holds(lines.allSatisfy { $0 >= 1 && $0 <= ends + 1 }, "lines \(lines) of \(ends + 1)")
            let good = records.compactMap { try? $0.get() }
            let written = good.map { Self.written($0.fields) }.joined()
            try agree(
                CSV.read(Array(written.utf8)).map { try? $0.get().fields }, good.map { $0.fields },
                "fields written and read")
            guard good.count == records.count else { return false }
            for record in good where !record.fields.contains(where: { $0.contains { $0.isNewline } }) {
                let line = Self.line(record.line, of: bytes)
                try holds(
                    Self.starts(line, with: record.fields[0], isFirst: record.line == 1),
                    "line \(record.line) is \(line.debugDescription)")
            }
            return true
        }
        #expect(fuzzer.hasReached(200))
    }

    @Test func deviceFiles() throws {
        var fuzzer = Fuzzer(
            "device file", corpus: Self.corpus + Self.longNames, mutations: .text(Self.pieces), iterations: 1_500)
        try fuzzer.run { bytes in
            let file: DeviceFile
            do {
                file = try DeviceFile(bytes)
            } catch is DeviceFile.Unreadable {
                return false
            }
            let numbers = file.lines.map(\.number) + file.bad.map(\.number)
            try agree(Set(numbers).count, numbers.count, "each line counts once")
            try agree(numbers.count, CSV.read(bytes).count - 1, "lines and bad ones")
            try agree(Set(file.lines.map(\.deviceEUI)).count, file.lines.count, "devices")
            for line in file.lines {
                let texts = [line.name, line.profile, line.site, line.space].compactMap { $0 }
                try holds(
                    texts.allSatisfy { !$0.isEmpty && !$0.utf8.contains(0) && $0.unicodeScalars.count <= 200 }, "texts")
                try holds([line.site, line.space].compactMap { $0 }.allSatisfy { Code($0) != nil }, "codes")
                try holds(line.space == nil || line.site != nil, "a space has its site")
            }
            return true
        }
        #expect(fuzzer.hasReached(50))
    }

    private static func written(_ fields: [String]) -> String {
        fields.map { "\"" + $0.replacing("\"", with: "\"\"") + "\"" }.joined(separator: ",") + "\n"
    }

    /// Line ends: LF, CR LF or CR alone.
    private static func lineEnds(_ bytes: [UInt8]) -> Int { lines(bytes).count - 1 }

    private static func line(_ number: Int, of bytes: [UInt8]) -> String {
        String(decoding: lines(bytes)[number - 1], as: UTF8.self)
    }

    private static func lines(_ bytes: [UInt8]) -> [[UInt8]] {
        var lines: [[UInt8]] = [[]]
        for (at, byte) in bytes.enumerated() {
            switch byte {
            case 0x0D: lines.append([])
            case 0x0A: if at == 0 || bytes[at - 1] != 0x0D { lines.append([]) }
            default: lines[lines.count - 1].append(byte)
            }
        }
        return lines
    }

    /// Whether a record whose first field this is can begin in the line.
    private static func starts(_ line: String, with field: String, isFirst: Bool) -> Bool {
        let quoted = "\"" + field.replacing("\"", with: "\"\"") + "\""
        var text = Array(line.utf8)
        if isFirst, text.starts(with: [0xEF, 0xBB, 0xBF]) { text.removeFirst(3) }
        return text.starts(with: field.utf8) || text.starts(with: quoted.utf8)
    }
}
